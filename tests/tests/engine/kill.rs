//! The real binary and a real kill -9, while somebody watches: the watcher comes back with the number of the
//! last event it saw and sees every event exactly once.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lxc_tests::pvesim::CtSpec;
use nix::sys::signal::{SIGKILL, kill};
use nix::unistd::Pid;

use super::client::{Client, Order, PATIENCE, Story};
use super::lab::{Lab, SPEED, running, stopped};
use super::matrix::whole;

/// A running `lxcd`; killed when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Dead already is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The binary beside this test's own.
fn lxcd() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().and_then(|deps| deps.parent()).unwrap().join("lxcd");
    assert!(path.is_file(), "{} is not built: cargo build -p lxcd", path.display());
    path
}

async fn start(lab: &Lab, failpoint: Option<&str>) -> Process {
    let mut command = Command::new(lxcd());
    command
        .args(["--time-scale", &SPEED.to_string()])
        .env("LXCD_STATE_DIR", &lab.config.state_dir)
        .env("LXCD_SOCKET", &lab.config.socket)
        .env_remove("LXCD_FAILPOINT")
        .stdin(Stdio::null())
        .stderr(std::fs::File::options().create(true).append(true).open(lab.dir.path().join("log")).unwrap());
    if let Some(place) = failpoint {
        command.env("LXCD_FAILPOINT", place);
    }
    let process = Process(command.spawn().unwrap());
    let end = tokio::time::Instant::now() + PATIENCE;
    while std::os::unix::net::UnixStream::connect(&lab.config.socket).is_err() {
        let log = || std::fs::read_to_string(lab.dir.path().join("log")).unwrap_or_default();
        assert!(tokio::time::Instant::now() < end, "lxcd does not listen: {}", log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    process
}

/// Waits for the process to be killed.
async fn killed(mut process: Process) {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(status) = process.0.try_wait().unwrap() {
            use std::os::unix::process::ExitStatusExt;
            assert_eq!(status.signal(), Some(9), "by SIGKILL, not by itself");
            return;
        }
        assert!(tokio::time::Instant::now() < end, "the place was never reached");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Watches to the end, over as many connections as it takes; says how often it had to come back.
async fn watch(client: &Client, request: &str) -> (Story, u32) {
    let (mut all, mut breaks) = (Story::default(), 0);
    let end = tokio::time::Instant::now() + PATIENCE;
    while all.result.is_none() {
        assert!(tokio::time::Instant::now() < end, "it never ends: {all:#?}");
        // The submit's own answer may be lost; its request id finds the operation as soon as it is stored.
        let Ok(op) = client.find(request).await else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        let story = client.story(&op.id, all.seqs().last().copied().unwrap_or(0)).await;
        breaks += u32::from(story.broken);
        all.events.extend(story.events);
        all.result = story.result;
    }
    (all, breaks)
}

async fn killed_at(place: &str, order: Order, container: CtSpec, task: &str) {
    let lab = Lab::new(vec![container]).await;
    let first = start(&lab, Some(place)).await;
    let client = Client::new(&lab.config.socket);
    lab.register(&client).await;
    let request = uuid::Uuid::now_v7().to_string();
    let reference = client.reference(order.verb, order.vmid).await.unwrap();
    let watching = tokio::spawn({
        let (client, request) = (client.clone(), request.clone());
        async move { watch(&client, &request).await }
    });
    // Its answer may be lost with the process.
    let _ = client.submit(&order, reference, &request).await;
    killed(first).await;
    let second = start(&lab, None).await;
    let (story, _) = watching.await.unwrap();
    let op = story.result.clone().unwrap();
    assert_eq!(
        story.seqs(),
        (1..=op.last_seq).collect::<Vec<_>>(),
        "each once, over all connections: {story:#?}"
    );
    assert_eq!(op.state, "succeeded", "{op:#?}");
    assert_eq!(lab.tasks(order.vmid), [task], "{:#?}", lab.sim.ledger());
    whole(&lab, &client, &op.id).await;
    drop(second);
}

macro_rules! killed_at {
    ($($name:ident: $place:literal, $order:expr, $container:expr, $task:literal;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            killed_at($place, $order, $container, $task).await;
        })*
    };
}

killed_at! {
    before_the_record: "record.before", Order::new("start", 104), stopped(104), "vzstart";
    after_the_record: "record.after", Order::new("stop", 104), running(104), "vzstop";
    before_the_call: "sent.before", Order::new("start", 104), stopped(104), "vzstart";
    after_the_call: "sent.after", Order::new("shutdown", 104), running(104), "vzshutdown";
    before_the_upid_is_written: "upid.before", Order::new("delete", 104), running(104), "vzdestroy";
    after_the_upid_is_written: "upid.after", Order::new("start", 104), stopped(104), "vzstart";
    before_the_end_of_the_task_is_written: "ended.before", Order::new("start", 104), stopped(104), "vzstart";
    after_the_end_of_the_task_is_written: "ended.after", Order::new("delete", 104), stopped(104), "vzdestroy";
    after_the_step: "done.after", Order::new("stop", 104), running(104), "vzstop";
    before_the_terminal_commit: "terminal.before", Order::new("start", 104), stopped(104), "vzstart";
    after_the_terminal_commit: "terminal.after", Order::new("start", 104), stopped(104), "vzstart";
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_three_times_from_outside_under_a_watcher() {
    let lab = Lab::new(vec![CtSpec { start_seconds: Some(150.0), ..stopped(104) }]).await;
    let mut process = start(&lab, None).await;
    let client = Client::new(&lab.config.socket);
    lab.register(&client).await;
    let op = client.order(&Order::new("start", 104)).await;
    let watching = tokio::spawn({
        let (client, request) = (client.clone(), op.request_id.clone());
        async move { watch(&client, &request).await }
    });
    client.until(&op.id, |op| op.steps[0].upid.is_some()).await;
    for _ in 0..3 {
        kill(Pid::from_raw(i32::try_from(process.0.id()).unwrap()), SIGKILL).unwrap();
        killed(process).await;
        process = start(&lab, None).await;
        assert_eq!(client.get(&op.id).await.state, "running", "its task goes on meanwhile");
    }
    let (story, breaks) = watching.await.unwrap();
    let ended = story.result.clone().unwrap();
    assert_eq!(story.seqs(), (1..=ended.last_seq).collect::<Vec<_>>(), "{story:#?}");
    assert!(breaks > 0, "the watcher had to come back");
    assert_eq!((ended.result.as_str(), lab.tasks(104)), ("started", vec!["vzstart".to_owned()]));
}
