//! What goes in comes out: words, input, output.

use std::time::Duration;

use lxc_core::job::{JobExit, JobState};
use lxc_tests::harness::wait::until_async;
use lxc_tests::harness::{Proxy, Wire};
use sha2::{Digest, Sha256};

use super::lab::{Lab, gone, job, shell};

#[tokio::test]
async fn words_reach_the_command_as_they_are() {
    let Some(lab) = Lab::new() else { return };
    let words =
        ["; rm -rf /", "two words", "two\nlines", "'\"`$(id)\\", "täglich 日本", "", "-n", "*", "#", "~"];
    let all: Vec<&str> = ["printf", "<%s>"].into_iter().chain(words).collect();
    let (output, exit) = lab.run(&job(&all)).await;
    assert_eq!(exit, JobExit::Code(0));
    let expected: String = words.iter().map(|word| format!("<{word}>")).collect();
    assert_eq!(String::from_utf8(output).unwrap(), expected);
    let mut wrong = job(&["a\0b"]);
    lab.start(&wrong).await.unwrap_err();
    wrong.command.argv.clear();
    lab.start(&wrong).await.unwrap_err();
}

#[tokio::test]
async fn five_megabytes_arrive_and_are_gone_afterwards() {
    let Some(lab) = Lab::new() else { return };
    let mut job = job(&["sha256sum"]);
    job.command.stdin = (0..5_u32 << 20).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let (output, exit) = lab.run(&job).await;
    assert_eq!(exit, JobExit::Code(0));
    let sum = hex::encode(Sha256::digest(&job.command.stdin));
    assert_eq!(String::from_utf8(output).unwrap(), format!("{sum}  -\n"));
    assert!(!lab.directory(job.id).join("stdin").exists());
}

#[tokio::test]
async fn output_is_read_from_an_offset() {
    let Some(lab) = Lab::new() else { return };
    let mut job = shell("echo one; echo two >&2; read go; echo three");
    job.command.argv[2] =
        format!("echo one; echo two >&2; until [ -e {0} ]; do sleep 0.02; done; echo three", go(&lab));
    lab.start(&job).await.unwrap();
    lab.said(job.id, "two").await;
    let reading = lab.read(job.id, 0, 0).await;
    assert_eq!((reading.output.as_slice(), reading.next), (&b"one\ntwo\n"[..], 8));
    assert_eq!(reading.state, JobState::Running);
    assert_eq!(lab.read(job.id, 4, 0).await.output, b"two\n");
    std::fs::write(go(&lab), "").unwrap();
    let reading = lab.read(job.id, 8, 20).await;
    assert_eq!((reading.output.as_slice(), reading.next), (&b"three\n"[..], 14));
    assert_eq!(lab.read(job.id, 14, 20).await.state, JobState::Ended(JobExit::Code(0)));
}

#[tokio::test]
async fn a_reader_waits_on_the_node() {
    let Some(lab) = Lab::new() else { return };
    let proxy = Proxy::tcp(lab.server.address());
    lab.through(&proxy.place());
    let job = shell(&format!("until [ -e {0} ]; do sleep 0.02; done; echo late", go(&lab)));
    lab.start(&job).await.unwrap();
    assert_eq!(lab.read(job.id, 0, 1).await.state, JobState::Running);
    let before = proxy.carried();
    let reading = lab.read(job.id, 0, 30);
    tokio::pin!(reading);
    // It has been asked and has no answer when the job gets to speak.
    tokio::select! {
        reading = &mut reading => panic!("{reading:?}"),
        () = until_async("the question", async || {
            if proxy.carried() > before { Ok(()) } else { Err("none".to_owned()) }
        }) => {}
    }
    std::fs::write(go(&lab), "").unwrap();
    assert_eq!(reading.await.output, b"late\n");
    assert_eq!(lab.server.commands(), 1, "everything is asked of one helper");
}

#[tokio::test]
async fn a_command_that_is_waited_for_leaves_nothing() {
    let Some(lab) = Lab::new() else { return };
    let mut command = shell("cat; echo wrong >&2; exit 3").command;
    command.stdin = b"a\0\xff\n".to_vec();
    let ran = lab.jobs.run(&lab.node, &command).await.unwrap();
    assert_eq!((ran.output.as_slice(), ran.exit), (&b"a\0\xff\nwrong\n"[..], JobExit::Code(3)));
    let ran = lab.jobs.run(&lab.node, &shell("head -c 3M /dev/zero").command).await.unwrap();
    assert_eq!((ran.output.len(), ran.exit), (1 << 20, JobExit::Code(0)));
    let mut long = shell("echo begun; sleep 600").command;
    long.timeout = Duration::from_millis(300);
    let ran = lab.jobs.run(&lab.node, &long).await.unwrap();
    assert_eq!((ran.output.as_slice(), ran.exit), (&b"begun\n"[..], JobExit::TimedOut));
    let nothing = lab.jobs.run(&lab.node, &job(&["/no/such/program"]).command).await.unwrap();
    let why = "/no/such/program: No such file or directory".to_owned();
    assert_eq!(nothing.exit, JobExit::NotStarted(why));
    assert!(lab.left().is_empty());
}

#[tokio::test]
async fn a_command_that_is_waited_for_ends_with_the_connection() {
    let Some(lab) = Lab::new() else { return };
    let proxy = Proxy::tcp(lab.server.address());
    lab.through(&proxy.place());
    let pid = lab.server.directory().join("pid");
    let command = shell(&format!("echo $$ >{0}.new; mv {0}.new {0}; exec sleep 600", pid.display())).command;
    tokio::select! {
        ran = lab.jobs.run(&lab.node, &command) => panic!("{:?}", ran.map(|ran| ran.exit)),
        () = until_async("the command to begin", async || match pid.exists() {
            true => Ok(()),
            false => Err("not yet".to_owned()),
        }) => {}
    }
    proxy.set(Wire::Cut);
    gone(std::fs::read_to_string(&pid).unwrap().trim()).await;
}

#[tokio::test]
async fn what_a_node_lacks_is_told() {
    let Some(lab) = Lab::new() else { return };
    let mut lacks = lab.jobs.check(&lab.node, &["sh", "no-such-program"]).await.unwrap();
    lacks.retain(|line| !line.starts_with("root: "));
    assert_eq!(lacks, ["no-such-program: not installed"]);
    lab.access.lock().job_dir = "/proc/jobs".to_owned();
    let lacks = lab.jobs.check(&lab.node, &[]).await.unwrap();
    assert!(lacks.iter().any(|line| line.starts_with("/proc/jobs: ")), "{lacks:?}");
}

#[tokio::test]
async fn an_environment_is_not_handed_on() {
    let Some(lab) = Lab::new() else { return };
    let (output, _) = lab.run(&job(&["env"])).await;
    let output = String::from_utf8(output).unwrap();
    let mut names: Vec<&str> = output.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "PATH"]);
}

fn go(lab: &Lab) -> String {
    lab.server.directory().join("go").display().to_string()
}
