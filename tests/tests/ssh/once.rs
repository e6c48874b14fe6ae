//! Nothing runs twice, whoever starts it and whatever broke off.

use std::fs;
use std::time::Duration;

use futures::future::join_all;
use lxc_core::job::{Job, JobExit, JobReading, JobState, Started};
use lxc_core::ports::JobError;

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
    assert_eq!(lab.start(&job).await.unwrap(), Started::Now);
    assert_eq!(lab.start(&job).await.unwrap(), Started::Before);
    lab.end(job.id).await;
    assert_eq!(lab.start(&job).await.unwrap(), Started::Before);
    // As a node finds it that lost power while it ran.
    fs::remove_file(lab.directory(job.id).join("exit")).unwrap();
    assert_eq!(lab.start(&job).await.unwrap(), Started::Before);
    assert!(matches!(lab.read(job.id, 0, 20).await.state, JobState::Lost(_)));
    assert_eq!(count(&lab), 1);
}

#[tokio::test]
async fn a_start_answers_with_the_begin_of_what_is_said() {
    let Some(lab) = Lab::new() else { return };
    let go = lab.server.directory().join("go");
    let job =
        shell(&format!("echo one; until [ -e {} ]; do sleep 0.02; done; echo two; exit 4", go.display()));
    let wait = Duration::from_secs(20);
    let one = JobReading { skipped: 0, output: b"one\n".to_vec(), next: 4, state: JobState::Running };
    assert_eq!(lab.jobs.start(&lab.node, &job, wait).await, Ok((Started::Now, one)));
    fs::write(&go, "").unwrap();
    assert_eq!(lab.end(job.id).await.1, JobExit::Code(4));
    let state = JobState::Ended(JobExit::Code(4));
    let both = JobReading { skipped: 0, output: b"one\ntwo\n".to_vec(), next: 8, state };
    assert_eq!(lab.jobs.start(&lab.node, &job, wait).await, Ok((Started::Before, both)));
    assert_eq!(lab.server.commands(), 1);
}

#[tokio::test]
async fn a_start_whose_output_cannot_be_read_is_a_start() {
    let Some(lab) = Lab::new() else { return };
    let job = counted(&lab);
    lab.run(&job).await;
    // What is no file cannot be read as one.
    let output = lab.directory(job.id).join("output.0");
    fs::remove_file(&output).unwrap();
    fs::create_dir(&output).unwrap();
    fs::write(output.join("file"), "").unwrap();
    let nothing = JobReading { skipped: 0, output: Vec::new(), next: 0, state: JobState::Running };
    let started = lab.jobs.start(&lab.node, &job, Duration::ZERO).await;
    let read = lab.jobs.read(&lab.node, job.id, 0, Duration::ZERO).await;
    assert_eq!(started, Ok((Started::Before, nothing)));
    assert!(matches!(&read, Err(JobError::Failed(why)) if why.contains("output.0")), "{read:?}");
}

#[tokio::test]
async fn of_eight_starts_at_once_one_runs() {
    let Some(lab) = Lab::new() else { return };
    let mut job = counted(&lab);
    job.command.stdin = vec![b'x'; 300_000];
    let starts = join_all((0..8).map(|_| lab.start(&job))).await;
    let now = starts.iter().filter(|start| **start == Ok(Started::Now)).count();
    assert_eq!((now, starts.len()), (1, 8), "{starts:?}");
    assert!(starts.iter().all(Result::is_ok), "{starts:?}");
    assert_eq!(lab.end(job.id).await.1, JobExit::Code(0));
    assert_eq!(count(&lab), 1);
    assert_eq!(lab.left(), [job.id.to_string()]);
}

#[tokio::test]
async fn what_was_cancelled_before_it_began_never_begins() {
    let Some(lab) = Lab::new() else { return };
    let job = counted(&lab);
    lab.jobs.cancel(&lab.node, job.id).await.unwrap();
    assert_eq!(lab.start(&job).await.unwrap(), Started::Before);
    assert_eq!(lab.end(job.id).await.1, JobExit::Cancelled);
    assert_eq!(count(&lab), 0);
    lab.jobs.forget(&lab.node, job.id.operation).await.unwrap();
    assert!(lab.left().is_empty());
}

#[tokio::test]
async fn a_start_and_a_cancel_at_once_agree() {
    let Some(lab) = Lab::new() else { return };
    for step in 0..8 {
        let mut job = shell("sleep 600");
        job.id.step = step;
        let (started, cancelled) = tokio::join!(lab.start(&job), lab.jobs.cancel(&lab.node, job.id));
        started.unwrap();
        cancelled.unwrap();
        assert_eq!(lab.end(job.id).await.1, JobExit::Cancelled);
    }
    assert_eq!(lab.left().len(), 8);
}
