//! The addresses Proxmox tells of a container, in the order of core's `address`. Pure.

use std::collections::BTreeMap;

use lxc_core::address;

/// Addresses in the order to try them. Proxmox does not tell which interface has the default route.
pub(super) fn ordered(interfaces: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let found: Vec<_> = interfaces
        .iter()
        .flat_map(|(name, texts)| {
            texts.iter().filter_map(|text| Some((Some(name.clone()), text.parse().ok()?)))
        })
        .collect();
    address::ordered(&found, None).iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_left_out() {
        let interfaces = BTreeMap::from([
            ("eth0".to_owned(), vec!["x".to_owned(), "10.0.0.14".to_owned()]),
            ("lo".to_owned(), vec!["127.0.0.1".to_owned()]),
        ]);
        assert_eq!(ordered(&interfaces), ["10.0.0.14"]);
    }
}
