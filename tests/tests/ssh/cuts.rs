//! Connections that break off: in an upload, while a job runs, for longer.

use std::time::Duration;

use lxc_core::job::{JobExit, Started};
use lxc_core::ports::JobError;
use lxc_tests::harness::wait::until_async;
use lxc_tests::harness::{Proxy, Wire};

use super::lab::{Lab, job, shell};

/// Waits until an upload is under way.
async fn uploading(lab: &Lab) {
    until_async("a part of an upload", async || {
        let left =
            std::fs::read_dir(lab.server.directory().join("jobs")).map_err(|error| error.to_string())?;
        let sizes = left.flatten().filter_map(|job| job.path().join("stdin").metadata().ok());
        match sizes.map(|part| part.len()).max() {
            Some(1..) => Ok(()),
            size => Err(format!("{size:?}")),
        }
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_is_cut_begins_nothing_and_is_made_again() {
    let Some(lab) = Lab::new() else { return };
    let proxy = Proxy::tcp(lab.server.address());
    lab.through(&proxy.place());
    let mut job = job(&["wc", "-c"]);
    job.stdin = vec![b'x'; 5 << 20];
    proxy.set(Wire::Slow(Duration::from_millis(10)));
    let (started, ()) = tokio::join!(lab.jobs.start(&lab.node, &job), async {
        uploading(&lab).await;
        proxy.set(Wire::Cut);
        until_async("another attempt", async || {
            if lab.clock.0.lock().is_empty() { Err("none") } else { Ok(()) }.map_err(str::to_owned)
        })
        .await;
        proxy.set(Wire::Open);
    });
    assert_eq!(started.unwrap(), Started::Now);
    let (output, exit) = lab.end(job.id).await;
    assert_eq!((String::from_utf8(output).unwrap(), exit), ("5242880\n".to_owned(), JobExit::Code(0)));
    until_async("the broken upload to be removed", async || match lab.left() {
        left if left.len() == 1 => Ok(()),
        left => Err(format!("{left:?}")),
    })
    .await;
}

#[tokio::test]
async fn whoever_gives_up_in_an_upload_leaves_nothing_on_the_node() {
    let Some(lab) = Lab::new() else { return };
    let proxy = Proxy::tcp(lab.server.address());
    lab.through(&proxy.place());
    let mut job = job(&["wc", "-c"]);
    job.stdin = vec![b'x'; 5 << 20];
    proxy.set(Wire::Slow(Duration::from_millis(10)));
    tokio::select! {
        started = lab.jobs.start(&lab.node, &job) => panic!("{started:?}"),
        () = uploading(&lab) => {}
    }
    proxy.set(Wire::Open);
    until_async("the broken upload to be removed", async || match lab.left() {
        left if left.is_empty() => Ok(()),
        left => Err(format!("{left:?}")),
    })
    .await;
    assert_eq!(lab.run(&job).await.1, JobExit::Code(0));
}

#[tokio::test]
async fn a_job_goes_on_while_nobody_is_connected() {
    let Some(lab) = Lab::new() else { return };
    let proxy = Proxy::tcp(lab.server.address());
    lab.through(&proxy.place());
    let go = lab.server.directory().join("go").display().to_string();
    let job = shell(&format!("echo one; until [ -e {go} ]; do sleep 0.02; done; echo two; exit 6"));
    lab.jobs.start(&lab.node, &job).await.unwrap();
    assert_eq!(lab.read(job.id, 0, 20).await.output, b"one\n");
    let (reading, ()) = tokio::join!(lab.jobs.read(&lab.node, job.id, 4, Duration::from_secs(30)), async {
        proxy.set(Wire::Cut);
        std::fs::write(&go, "").unwrap();
        lab.said(job.id, "two").await;
        proxy.set(Wire::Open);
    });
    let reading = reading.unwrap();
    assert_eq!((reading.output.as_slice(), reading.next), (&b"two\n"[..], 8));
    assert_eq!(lab.end(job.id).await.1, JobExit::Code(6));
}

#[tokio::test]
async fn a_node_that_is_away_is_tried_five_times_by_all_together() {
    let Some(lab) = Lab::new() else { return };
    let proxy = Proxy::tcp(lab.server.address());
    lab.through(&proxy.place());
    proxy.set(Wire::Cut);
    let job = shell("exit 0");
    let (one, two) = tokio::join!(lab.jobs.start(&lab.node, &job), lab.jobs.start(&lab.node, &job));
    for result in [one, two] {
        assert!(matches!(&result, Err(error @ JobError::NotConnected(_)) if error.passes()), "{result:?}");
    }
    let pauses: Vec<u64> = lab.clock.0.lock().iter().map(Duration::as_secs).collect();
    assert_eq!(pauses, [2, 4, 8, 16]);
    proxy.set(Wire::Open);
    assert_eq!(lab.run(&job).await.1, JobExit::Code(0));
}
