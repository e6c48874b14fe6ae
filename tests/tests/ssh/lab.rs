//! What the tests here share: a server, jobs on it, and looking at what lies there.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use lxc_core::ids::{Installation, Micros, OperationId};
use lxc_core::job::{Command, Job, JobExit, JobId, JobReading, JobState, Node, Started};
use lxc_core::ports::{Clock, JobError, RemoteJob};
use lxc_core::timing::Timing;
use lxc_tests::harness::SshServer;
use lxc_tests::harness::wait::until_async;
use lxcd::clock::SystemClock;
use lxcd::ssh::{Access, Auth, HostKeyPin, Jobs};
use nix::unistd::Pid;
use parking_lot::Mutex;

/// A clock that waits a hundredth and remembers how long it was told to.
#[derive(Default)]
pub(crate) struct QuickClock(pub(crate) Mutex<Vec<Duration>>);

#[async_trait::async_trait]
impl Clock for QuickClock {
    fn now(&self) -> Micros {
        SystemClock.now()
    }

    fn boot(&self) -> Duration {
        SystemClock.boot()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.lock().push(duration);
        SystemClock.sleep(duration / 100).await;
    }
}

pub(crate) struct Lab {
    pub(crate) server: SshServer,
    pub(crate) clock: Arc<QuickClock>,
    pub(crate) access: Arc<Mutex<Access>>,
    pub(crate) jobs: Box<dyn RemoteJob>,
    pub(crate) node: Node,
}

impl Lab {
    /// None where there is no OpenSSH server.
    pub(crate) fn new() -> Option<Self> {
        let server = SshServer::start()?;
        let key = fs::read_to_string(server.key()).expect("read");
        let pin = HostKeyPin::parse(&server.fingerprint()).expect("a fingerprint");
        let address = server.address();
        let auth = Auth::Key(key.into());
        let mut access = Access::new("127.0.0.1", address.port(), server.user(), auth, Some(pin));
        access.job_dir = server.directory().join("jobs").display().to_string();
        let access = Arc::new(Mutex::new(access));
        let clock = Arc::<QuickClock>::default();
        let jobs = jobs(&clock, &access);
        let node = Node { installation: Installation("aa".to_owned()), name: "pve1".to_owned() };
        Some(Self { server, clock, access, jobs, node })
    }

    /// Forgets every connection, as another daemon has none.
    pub(crate) fn again(&mut self) {
        self.jobs = jobs(&self.clock, &self.access);
    }

    /// Waits until so many processes of ours answer on the node.
    pub(crate) async fn helpers(&self, many: usize) -> Vec<Pid> {
        let base = self.server.directory().join("jobs").display().to_string();
        let mut found = Vec::new();
        until_async(&format!("{many} processes of the helper"), async || {
            let processes = fs::read_dir("/proc").expect("Linux").flatten();
            let pids =
                processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw));
            found = pids
                .filter(|pid| {
                    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                    let words: Vec<&[u8]> = words.split(|byte| *byte == 0).collect();
                    words.first() == Some(&&b"perl"[..]) && words.contains(&base.as_bytes())
                })
                .collect();
            if found.len() == many { Ok(()) } else { Err(format!("{} of them", found.len())) }
        })
        .await;
        found
    }

    /// The same server, reached from there.
    pub(crate) fn through(&self, place: &str) {
        let address: SocketAddr = place.parse().expect("an address");
        self.access.lock().port = address.port();
    }

    /// The directory of a job on the node.
    pub(crate) fn directory(&self, id: JobId) -> PathBuf {
        self.server.directory().join("jobs").join(id.to_string())
    }

    /// One word of `started`: boot id, runner, command, its start time.
    pub(crate) fn started(&self, id: JobId, word: usize) -> String {
        let text = fs::read_to_string(self.directory(id).join("started")).expect("it has begun");
        text.split_whitespace().nth(word).expect("four words").to_owned()
    }

    /// What the directory of jobs holds.
    pub(crate) fn left(&self) -> Vec<String> {
        // Nothing makes it before the first job.
        let jobs = fs::read_dir(self.server.directory().join("jobs")).into_iter().flatten();
        let mut names: Vec<String> =
            jobs.map(|job| job.expect("an entry").file_name().into_string().expect("text")).collect();
        names.sort();
        names
    }

    pub(crate) async fn read(&self, id: JobId, offset: u64, wait: u64) -> JobReading {
        self.jobs.read(&self.node, id, offset, Duration::from_secs(wait)).await.expect("read")
    }

    /// Reads a job to its end.
    pub(crate) async fn end(&self, id: JobId) -> (Vec<u8>, JobExit) {
        let (mut output, mut offset) = (Vec::new(), 0);
        loop {
            let reading = self.read(id, offset, 20).await;
            output.extend(reading.output);
            offset = reading.next;
            match reading.state {
                JobState::Running => {}
                JobState::Ended(exit) => return (output, exit),
                other => panic!("{other:?} after {:?}", String::from_utf8_lossy(&output)),
            }
        }
    }

    /// Starts a job and waits for nothing of it.
    pub(crate) async fn start(&self, job: &Job) -> Result<Started, JobError> {
        self.jobs.start(&self.node, job, Duration::ZERO).await.map(|(started, _)| started)
    }

    /// Starts a job and reads it to its end.
    pub(crate) async fn run(&self, job: &Job) -> (Vec<u8>, JobExit) {
        self.start(job).await.expect("started");
        self.end(job.id).await
    }

    /// Waits until it has said that.
    pub(crate) async fn said(&self, id: JobId, what: &str) {
        let output = self.directory(id).join("output.0");
        until_async(&format!("{what:?} from the job"), async || {
            let said = fs::read_to_string(&output).unwrap_or_default();
            if said.contains(what) { Ok(()) } else { Err(said) }
        })
        .await;
    }
}

fn jobs(clock: &Arc<QuickClock>, access: &Arc<Mutex<Access>>) -> Box<dyn RemoteJob> {
    let given = Arc::clone(access);
    let give = move |_| {
        let access = given.lock().clone();
        async move { Ok(access) }.boxed()
    };
    Box::new(Jobs::new(clock.clone(), Arc::new(give), Timing::default().connect))
}

pub(crate) fn job(argv: &[&str]) -> Job {
    let argv = argv.iter().map(|word| (*word).to_owned()).collect();
    let command = Command { argv, stdin: Vec::new(), timeout: Duration::from_secs(60) };
    Job { id: JobId { operation: OperationId::generate(), step: 0 }, command }
}

/// A job that is a line of shell.
pub(crate) fn shell(line: &str) -> Job {
    job(&["sh", "-c", line])
}

/// Waits until no process of that number runs.
pub(crate) async fn gone(pid: &str) {
    until_async("the end of a process", async || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Ended and not yet looked after by whoever has inherited it.
        if stat.is_empty() || stat.contains(") Z ") { Ok(()) } else { Err(stat) }
    })
    .await;
}
