//! `adopt`, for whatever is listed.

use std::collections::HashSet;

use lxc_core::op::{Adoption, Dispatch, adopt};
use lxc_core::pve::{Call, Upid};
use proptest::prelude::*;

use super::arbitrary::{OURS, T0, listed};

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_what_can_be_ours(before in listed(), now in listed(), others in listed(), newest in 0..4_i64) {
        let names = |entries: &[lxc_core::pve::TaskEntry]| -> HashSet<Upid> {
            entries.iter().map(|entry| entry.upid.clone()).collect()
        };
        let dispatch = Dispatch {
            call: Call::Start,
            node: "pve1".into(),
            identity: OURS.into(),
            baseline: before.iter().map(|entry| entry.upid.clone()).collect(),
            newest_start: newest,
            at: T0,
            ha: false,
        };
        let taken = names(&others);
        match adopt(&dispatch, 104, &now, &taken) {
            Adoption::One(upid) => {
                prop_assert!(names(&now).contains(&upid));
                prop_assert!(!names(&before).contains(&upid) && !taken.contains(&upid));
                prop_assert_eq!(upid.user.as_str(), OURS);
                prop_assert!(upid.kind == "vzstart" || upid.kind == "hastart");
                prop_assert!(upid.start_time >= newest);
                // Nothing of it depends on the order of the list.
                let turned: Vec<_> = now.iter().rev().cloned().collect();
                prop_assert_eq!(adopt(&dispatch, 104, &turned, &taken), Adoption::One(upid));
            }
            Adoption::Many { .. } => prop_assert!(names(&now).len() > 1, "one task listed twice is one task"),
            Adoption::None => {}
        }
        let everything: HashSet<Upid> = taken.union(&names(&now)).cloned().collect();
        prop_assert_eq!(adopt(&dispatch, 104, &now, &everything), Adoption::None);
    }
}
