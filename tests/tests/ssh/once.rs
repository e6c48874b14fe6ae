//! Nothing runs twice, whoever starts it and whatever broke off.

use std::fs;
use std::process::Command;

use futures::future::join_all;
use lxc_core::job::{Job, JobExit, JobState, Started};

use super::lab::{Lab, shell};

/// A job that leaves a line for each time it runs.
fn counted(lab: &Lab) -> Job {
    shell(&format!("echo ran >>{}; sleep 0.1", lab.server.directory().join("count").display()))
}

fn count(lab: &Lab) -> usize {
    fs::read_to_string(lab.server.directory().join("count")).unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_second_start_does_nothing_whatever_became_of_the_first() {
    let Some(lab) = Lab::new() else { return };
    let job = counted(&lab);
    assert_eq!(lab.read(job.id, 0, 20).await.state, JobState::Absent);
    assert_eq!(lab.jobs.start(&lab.node, &job).await.unwrap(), Started::Now);
    assert_eq!(lab.jobs.start(&lab.node, &job).await.unwrap(), Started::Before);
    lab.end(job.id).await;
    assert_eq!(lab.jobs.start(&lab.node, &job).await.unwrap(), Started::Before);
    // As a node finds it that lost power while it ran.
    fs::remove_file(lab.directory(job.id).join("exit")).unwrap();
    assert_eq!(lab.jobs.start(&lab.node, &job).await.unwrap(), Started::Before);
    assert!(matches!(lab.read(job.id, 0, 20).await.state, JobState::Lost(_)));
    assert_eq!(count(&lab), 1);
}

#[tokio::test]
async fn of_eight_starts_at_once_one_runs() {
    let Some(lab) = Lab::new() else { return };
    let mut job = counted(&lab);
    job.stdin = vec![b'x'; 300_000];
    let starts = join_all((0..8).map(|_| lab.jobs.start(&lab.node, &job))).await;
    let now = starts.iter().filter(|start| **start == Ok(Started::Now)).count();
    assert_eq!((now, starts.len()), (1, 8), "{starts:?}");
    assert!(starts.iter().all(Result::is_ok), "{starts:?}");
    assert_eq!(lab.end(job.id).await.1, JobExit::Code(0));
    assert_eq!(count(&lab), 1);
    assert_eq!(lab.left(), [job.id.to_string()]);
}

#[tokio::test]
async fn what_was_put_there_and_not_begun_is_begun_by_the_next_start() {
    let Some(lab) = Lab::new() else { return };
    let job = counted(&lab);
    // As it is when the node dies between the rename and the runner.
    let directory = lab.directory(job.id);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("argv"), job.argv.iter().map(|word| format!("{word}\0")).collect::<String>())
        .unwrap();
    fs::write(directory.join("stdin"), "").unwrap();
    assert_eq!(lab.read(job.id, 0, 20).await.state, JobState::Absent);
    assert_eq!(lab.jobs.start(&lab.node, &job).await.unwrap(), Started::Before);
    assert_eq!(lab.end(job.id).await.1, JobExit::Code(0));
    assert_eq!(count(&lab), 1);
}

#[tokio::test]
async fn what_was_cancelled_before_it_began_never_begins() {
    let Some(lab) = Lab::new() else { return };
    let job = counted(&lab);
    let directory = lab.directory(job.id);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join("argv"), "true\0").unwrap();
    fs::write(directory.join("stdin"), "").unwrap();
    lab.jobs.cancel(&lab.node, job.id).await.unwrap();
    assert_eq!(lab.jobs.start(&lab.node, &job).await.unwrap(), Started::Before);
    assert_eq!(lab.end(job.id).await.1, JobExit::Cancelled);
    assert_eq!(count(&lab), 0);
}

#[tokio::test]
async fn a_runner_that_comes_too_late_does_nothing() {
    let Some(lab) = Lab::new() else { return };
    let job = counted(&lab);
    lab.run(&job).await;
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../lxcd/src/ssh/scripts");
    let runner = ["common.pl", "run.pl"].map(|name| fs::read_to_string(format!("{scripts}/{name}")).unwrap());
    let directory = lab.directory(job.id);
    let late = Command::new("perl")
        .args(["-e", &runner.concat(), "--", &directory.display().to_string(), "1000", "1000"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(late.stdout).unwrap(), "known\n");
    assert_eq!(count(&lab), 1);
}
