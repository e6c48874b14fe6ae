//! Postgres over the network, with TLS: verified against the CA that the URL names, and refused against another.

use std::path::Path;

use lxc_tests::harness::{Ca, Postgres};
use lxcd::store::Store;

async fn opens(port: u16, options: &str) -> Result<(), String> {
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres?{options}");
    let store = Store::open_postgres(&url).await.map_err(|error| error.to_string())?;
    store.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_verified_as_the_url_says() {
    let (ours, other) = (Ca::new(), Ca::new());
    let (certificate, key) = ours.certificate("127.0.0.1");
    let server = tokio::task::spawn_blocking(move || Postgres::with_tls(&certificate, &key));
    let Some((server, port)) = server.await.expect("done") else { return };
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, pem: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, pem).expect("written");
        path
    };
    let verified = |path: &Path| format!("sslmode=verify-full&sslrootcert={}", path.display());
    opens(port, &verified(&write("ours.pem", &ours.pem))).await.expect("verified");
    let refused = opens(port, &verified(&write("other.pem", &other.pem))).await.expect_err("another CA");
    assert!(refused.contains("certificate"), "{refused}");
    // Without a CA the connection is encrypted all the same.
    opens(port, "sslmode=require").await.expect("encrypted");
    opens(port, "sslmode=verify-full").await.expect_err("no CA of the system's vouches for it");
    drop(server);
}
