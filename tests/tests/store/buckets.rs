//! Buckets: kept and replaced as a whole, by one at a time.

use lxc_core::record::BucketRecord;
use lxc_core::template::{Manager, PackageList};

use super::make::{T0, audit};

fn first(name: &str) -> BucketRecord {
    let list = |manager| PackageList {
        name: name.to_owned(),
        manager,
        items: vec!["nginx=1.2".to_owned(), "a|b|c \\| d|60".to_owned()],
    };
    BucketRecord {
        name: name.to_owned(),
        lists: vec![list(Manager::Apt), list(Manager::Custom), list(Manager::Npm)],
        revision: 1,
        author: "alice".to_owned(),
        created: T0,
        changed: T0,
    }
}

on_both! {
    async fn a_bucket_is_read_as_it_was_written(db: Db) {
        let (base, bare) = (first("base"), BucketRecord { lists: Vec::new(), ..first("Bare") });
        for record in [&base, &bare] {
            assert!(db.store.put_bucket(record, &audit("bucket create")).await.unwrap());
        }
        assert_eq!(db.other.buckets(None).await.unwrap(), [bare, base.clone()]);
        assert_eq!(db.other.buckets(Some("base")).await.unwrap(), [base]);
        assert!(db.other.buckets(Some("bas")).await.unwrap().is_empty());
        assert_eq!(db.number("SELECT COUNT(*) FROM audit").await, 2);
    }

    async fn a_bucket_is_replaced_as_a_whole_by_one_at_a_time(db: Db) {
        let one = first("base");
        assert!(db.store.put_bucket(&one, &audit("bucket create")).await.unwrap());
        assert!(!db.other.put_bucket(&one, &audit("bucket create")).await.unwrap(), "somebody was faster");
        let mut two = BucketRecord { revision: 2, changed: T0 + 1, ..one.clone() };
        two.lists.remove(0);
        assert!(db.other.put_bucket(&two, &audit("bucket edit")).await.unwrap());
        assert!(!db.store.put_bucket(&two, &audit("bucket edit")).await.unwrap(), "of the same revision");
        assert_eq!(db.store.buckets(None).await.unwrap(), [two]);
        assert_eq!(db.number("SELECT COUNT(*) FROM audit").await, 2, "what did not happen is not recorded");
        assert!(!db.store.remove_bucket("other", &audit("bucket delete")).await.unwrap());
        assert!(db.store.remove_bucket("base", &audit("bucket delete")).await.unwrap());
        assert_eq!(db.number("SELECT COUNT(*) FROM bucket_packages").await, 0);
        assert!(!db.accepts("INSERT INTO bucket_packages VALUES ('nobody', 'apt', '[]')").await);
    }
}
