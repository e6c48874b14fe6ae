//! How a job ends, and that it is told apart.

use std::fs;
use std::time::Duration;

use lxc_core::ids::OperationId;
use lxc_core::job::{JobExit, JobId, JobState};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::lab::{Lab, gone, job, shell};

#[tokio::test]
async fn codes_and_signals_are_told_apart() {
    let Some(lab) = Lab::new() else { return };
    for (line, expected) in [
        ("exit 0", JobExit::Code(0)),
        ("exit 7", JobExit::Code(7)),
        ("exit 124", JobExit::Code(124)),
        ("exit 137", JobExit::Code(137)),
        ("exit 255", JobExit::Code(255)),
        ("kill -9 $$", JobExit::Signal(9)),
        ("kill -15 $$", JobExit::Signal(15)),
    ] {
        assert_eq!(lab.run(&shell(line)).await.1, expected, "{line}");
    }
    let (_, exit) = lab.run(&job(&["/no/such/program"])).await;
    assert_eq!(exit, JobExit::NotStarted("/no/such/program: No such file or directory".to_owned()));
}

#[tokio::test]
async fn a_job_whose_time_is_over_is_ended_with_all_it_has_started() {
    let Some(lab) = Lab::new() else { return };
    let mut job = shell("sleep 600 & echo $!; echo begun; wait");
    job.command.timeout = Duration::from_millis(300);
    let (output, exit) = lab.run(&job).await;
    assert_eq!(exit, JobExit::TimedOut);
    gone(String::from_utf8(output).unwrap().lines().next().unwrap()).await;
}

#[tokio::test]
async fn a_cancelled_job_gets_a_term_it_can_answer() {
    let Some(lab) = Lab::new() else { return };
    let job = shell("trap 'echo cleaning; exit 0' TERM; echo begun; while :; do sleep 0.05; done");
    lab.start(&job).await.unwrap();
    lab.said(job.id, "begun").await;
    for _ in 0..2 {
        lab.jobs.cancel(&lab.node, job.id).await.unwrap();
    }
    let (output, exit) = lab.end(job.id).await;
    assert!(output.ends_with(b"cleaning\n"), "{}", String::from_utf8_lossy(&output));
    assert_eq!(exit, JobExit::Cancelled);
    // What has ended stays as it was.
    lab.jobs.cancel(&lab.node, job.id).await.unwrap();
    assert_eq!(lab.end(job.id).await.1, JobExit::Cancelled);
}

#[tokio::test]
async fn a_cancelled_job_that_does_not_listen_is_killed() {
    let Some(lab) = Lab::new() else { return };
    let job = shell("trap '' TERM; echo begun; while :; do sleep 0.05; done");
    lab.start(&job).await.unwrap();
    lab.said(job.id, "begun").await;
    lab.jobs.cancel(&lab.node, job.id).await.unwrap();
    assert_eq!(lab.end(job.id).await.1, JobExit::Cancelled);
    gone(&lab.started(job.id, 2)).await;
}

#[tokio::test]
async fn a_job_that_ended_before_keeps_its_end() {
    let Some(lab) = Lab::new() else { return };
    let job = shell("exit 4");
    lab.run(&job).await;
    lab.jobs.cancel(&lab.node, job.id).await.unwrap();
    assert_eq!(lab.end(job.id).await.1, JobExit::Code(4));
    // Nobody knows of this one.
    lab.jobs.cancel(&lab.node, JobId { step: 9, ..job.id }).await.unwrap();
}

#[tokio::test]
async fn a_daemon_that_holds_the_output_delays_nothing_and_lives() {
    let Some(lab) = Lab::new() else { return };
    let go = lab.server.directory().join("go");
    let daemon =
        format!("until [ -e {0} ]; do sleep 0.02; done; echo late && echo fine >{0}.said", go.display());
    let job = shell(&format!("({daemon}) & echo $!; exit 5"));
    let (output, exit) = lab.run(&job).await;
    assert_eq!(exit, JobExit::Code(5));
    let daemon = String::from_utf8(output).unwrap().trim().to_owned();
    // It may go on writing, and keeps no lock.
    fs::write(&go, "").unwrap();
    gone(&daemon).await;
    assert_eq!(fs::read_to_string(go.with_extension("said")).unwrap(), "fine\n");
    lab.jobs.forget(&lab.node, job.id.operation).await.unwrap();
    assert!(lab.left().is_empty());
}

#[tokio::test]
async fn a_restarted_node_has_lost_what_ran() {
    let Some(lab) = Lab::new() else { return };
    let job = shell("echo begun; sleep 600");
    lab.start(&job).await.unwrap();
    lab.said(job.id, "begun").await;
    let started = lab.directory(job.id).join("started");
    let text = fs::read_to_string(&started).unwrap();
    fs::write(&started, text.replace(&lab.started(job.id, 0), "another-boot")).unwrap();
    let reading = lab.read(job.id, 0, 20).await;
    assert_eq!(reading.state, JobState::Lost("the node was restarted while it ran".to_owned()));
    assert_eq!(reading.output, b"begun\n");
    fs::write(&started, text).unwrap();
    lab.jobs.cancel(&lab.node, job.id).await.unwrap();
    assert_eq!(lab.end(job.id).await.1, JobExit::Cancelled);
}

#[tokio::test]
async fn a_job_without_its_runner_is_lost_and_can_be_ended() {
    let Some(lab) = Lab::new() else { return };
    let job = shell("echo begun; sleep 600");
    lab.start(&job).await.unwrap();
    lab.said(job.id, "begun").await;
    kill(Pid::from_raw(lab.started(job.id, 1).parse().unwrap()), Signal::SIGKILL).unwrap();
    gone(&lab.started(job.id, 1)).await;
    let state = lab.read(job.id, 6, 20).await.state;
    assert_eq!(state, JobState::Lost("its runner on the node was killed; the command goes on".to_owned()));
    // It runs: its directory stays.
    lab.jobs.forget(&lab.node, job.id.operation).await.unwrap();
    assert_eq!(lab.left().len(), 1);
    lab.jobs.cancel(&lab.node, job.id).await.unwrap();
    gone(&lab.started(job.id, 2)).await;
    let state = lab.read(job.id, 6, 20).await.state;
    assert_eq!(state, JobState::Lost("its runner on the node was killed".to_owned()));
}

#[tokio::test]
async fn what_operations_have_left_running_is_ended_and_waited_for() {
    let Some(lab) = Lab::new() else { return };
    let (runs, orphaned, other) = (shell("sleep 600"), shell("echo begun; sleep 600"), shell("sleep 600"));
    for job in [&runs, &orphaned, &other] {
        lab.start(job).await.unwrap();
    }
    kill(Pid::from_raw(lab.started(orphaned.id, 1).parse().unwrap()), Signal::SIGKILL).unwrap();
    let operations = [runs.id.operation, orphaned.id.operation, OperationId::generate()];
    assert_eq!(lab.jobs.end(&lab.node, &operations).await, Ok(true));
    for (job, lives) in [(&runs, false), (&orphaned, false), (&other, true)] {
        let pid: i32 = lab.started(job.id, 2).parse().unwrap();
        assert_eq!(kill(Pid::from_raw(pid), None).is_ok(), lives);
    }
    assert_eq!(lab.end(runs.id).await.1, JobExit::Cancelled);
    lab.jobs.cancel(&lab.node, other.id).await.unwrap();
    lab.end(other.id).await;
}

#[tokio::test]
async fn what_is_forgotten_is_one_operations_and_has_ended() {
    let Some(lab) = Lab::new() else { return };
    let (first, mut second, other) = (shell("exit 1"), shell("sleep 600"), shell("exit 2"));
    second.id = JobId { step: 1, ..first.id };
    lab.run(&first).await;
    lab.run(&other).await;
    lab.start(&second).await.unwrap();
    lab.jobs.forget(&lab.node, first.id.operation).await.unwrap();
    let mut left = vec![second.id.to_string(), other.id.to_string()];
    left.sort();
    assert_eq!(lab.left(), left);
    assert_eq!(lab.read(first.id, 0, 20).await.state, JobState::Absent);
    lab.jobs.cancel(&lab.node, second.id).await.unwrap();
    lab.end(second.id).await;
    for operation in [first.id.operation, other.id.operation, OperationId::generate()] {
        lab.jobs.forget(&lab.node, operation).await.unwrap();
    }
    assert!(lab.left().is_empty());
}
