//! Connections that break off: in an upload, while a job runs, for longer.

use std::time::Duration;

use futures::future::join_all;
use lxc_core::job::{JobExit, JobState, Started};
use lxc_core::ports::JobError;
use lxc_tests::harness::wait::until_async;
use lxc_tests::harness::{Proxy, Wire};
use nix::sys::signal::{Signal, kill};

use super::lab::{Lab, job, shell};

/// Bytes of an upload that takes a while.
const LARGE: usize = 5 << 20;

/// Waits until a part of an upload has passed, and only a part.
async fn uploading(proxy: &Proxy) {
    let before = proxy.carried();
    until_async("a part of an upload", async || match proxy.carried() - before {
        passed @ ..200_000 => Err(format!("{passed} bytes")),
        passed if passed < LARGE => Ok(()),
        passed => panic!("all of it: {passed} bytes"),
    })
    .await;
}

#[tokio::test]
async fn an_upload_that_is_cut_begins_nothing_and_is_made_again() {
    let Some(lab) = Lab::new() else { return };
    let proxy = Proxy::tcp(lab.server.address());
    lab.through(&proxy.place());
    let mut job = job(&["wc", "-c"]);
    job.command.stdin = vec![b'x'; LARGE];
    proxy.set(Wire::Slow(Duration::from_millis(10)));
    let (started, ()) = tokio::join!(lab.start(&job), async {
        uploading(&proxy).await;
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
async fn whoever_goes_in_an_upload_leaves_nothing_on_the_node() {
    let Some(mut lab) = Lab::new() else { return };
    let proxy = Proxy::tcp(lab.server.address());
    lab.through(&proxy.place());
    let mut job = job(&["wc", "-c"]);
    job.command.stdin = vec![b'x'; LARGE];
    assert_eq!(lab.read(job.id, 0, 0).await.state, JobState::Absent);
    proxy.set(Wire::Slow(Duration::from_millis(10)));
    tokio::select! {
        started = lab.start(&job) => panic!("{started:?}"),
        () = uploading(&proxy) => {}
    }
    // As a daemon that is killed.
    proxy.set(Wire::Cut);
    lab.again();
    proxy.set(Wire::Open);
    assert_eq!(lab.read(job.id, 0, 0).await.state, JobState::Absent);
    assert!(lab.left().is_empty(), "{:?}", lab.left());
    assert_eq!(lab.run(&job).await.1, JobExit::Code(0));
}

#[tokio::test]
async fn a_wait_for_output_delays_no_other_and_ends_with_the_connection() {
    let Some(lab) = Lab::new() else { return };
    let proxy = Proxy::tcp(lab.server.address());
    lab.through(&proxy.place());
    let silent = shell("sleep 600");
    lab.start(&silent).await.unwrap();
    let waits = join_all((0..20).map(|_| lab.jobs.read(&lab.node, silent.id, 0, Duration::from_secs(600))));
    let others = async {
        lab.helpers(21).await;
        for _ in 0..3 {
            assert_eq!(lab.run(&shell("exit 5")).await.1, JobExit::Code(5));
        }
        proxy.set(Wire::Cut);
        lab.helpers(0).await;
    };
    tokio::select! {
        read = waits => panic!("{read:?}"),
        () = others => {}
    }
    proxy.set(Wire::Open);
    lab.jobs.cancel(&lab.node, silent.id).await.unwrap();
    assert_eq!(lab.end(silent.id).await.1, JobExit::Cancelled);
}

#[tokio::test]
async fn a_start_that_waits_for_output_ends_with_the_connection_and_its_job_does_not() {
    let Some(lab) = Lab::new() else { return };
    let proxy = Proxy::tcp(lab.server.address());
    lab.through(&proxy.place());
    let silent = shell("sleep 600");
    tokio::select! {
        started = lab.jobs.start(&lab.node, &silent, Duration::from_secs(600)) => panic!("{started:?}"),
        () = async {
            until_async("the job to begin", async || {
                if lab.directory(silent.id).exists() { Ok(()) } else { Err("not yet".to_owned()) }
            })
            .await;
            lab.helpers(2).await;
            proxy.set(Wire::Cut);
            lab.helpers(0).await;
        } => {}
    }
    proxy.set(Wire::Open);
    assert_eq!(lab.start(&silent).await.unwrap(), Started::Before);
    assert_eq!(lab.read(silent.id, 0, 0).await.state, JobState::Running);
    lab.jobs.cancel(&lab.node, silent.id).await.unwrap();
    assert_eq!(lab.end(silent.id).await.1, JobExit::Cancelled);
}

#[tokio::test]
async fn a_helper_that_is_killed_is_started_again() {
    let Some(lab) = Lab::new() else { return };
    let job = shell("echo one; sleep 600");
    lab.start(&job).await.unwrap();
    lab.said(job.id, "one").await;
    for helper in lab.helpers(1).await {
        kill(helper, Signal::SIGKILL).unwrap();
    }
    let reading = lab.read(job.id, 0, 20).await;
    assert_eq!((reading.output.as_slice(), reading.state), (&b"one\n"[..], JobState::Running));
    lab.jobs.cancel(&lab.node, job.id).await.unwrap();
    assert_eq!(lab.end(job.id).await.1, JobExit::Cancelled);
}

#[tokio::test]
async fn a_job_goes_on_while_nobody_is_connected() {
    let Some(lab) = Lab::new() else { return };
    let proxy = Proxy::tcp(lab.server.address());
    lab.through(&proxy.place());
    let go = lab.server.directory().join("go").display().to_string();
    let job = shell(&format!("echo one; until [ -e {go} ]; do sleep 0.02; done; echo two; exit 6"));
    lab.start(&job).await.unwrap();
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
    let (one, two) = tokio::join!(lab.start(&job), lab.start(&job));
    for result in [one, two] {
        assert!(matches!(&result, Err(error @ JobError::NotConnected(_)) if error.passes()), "{result:?}");
    }
    let pauses: Vec<u64> = lab.clock.0.lock().iter().map(Duration::as_secs).collect();
    assert_eq!(pauses, [2, 4, 8, 16]);
    proxy.set(Wire::Open);
    assert_eq!(lab.run(&job).await.1, JobExit::Code(0));
}
