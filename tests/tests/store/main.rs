//! What the store promises, held on SQLite and on Postgres alike: every test here runs on both.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

/// Makes two tests of each function, one per database.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: Db) $body:block)*) => {
        $(async fn $name($db: crate::database::Db) $body)*

        mod sqlite {
            $($(#[$meta])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name(crate::database::Db::sqlite().await).await })*
        }
        mod postgres {
            $($(#[$meta])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(db) = crate::database::Db::postgres().await {
                    super::$name(db).await;
                }
            })*
        }
    };
}

mod buckets;
mod checks;
mod claiming;
mod commits;
mod database;
mod events;
mod inside;
mod listing;
mod make;
mod polling;
mod queueing;
mod records;
mod reserving;
mod silence;
mod submitting;
mod templates;
