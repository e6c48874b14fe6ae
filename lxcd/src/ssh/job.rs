//! Jobs on nodes over SSH: the half of the protocol that asks. Owns what is sent and how answers are read; the other
//! half are the programs in `scripts/`, which never change with what they are given.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use lxc_core::ids::OperationId;
use lxc_core::job::{Command, Job, JobExit, JobId, JobReading, JobState, Node, Ran, Started};
use lxc_core::ports::{Clock, JobError, RemoteJob};
use sha2::{Digest, Sha256};

use super::access::AccessOf;
use super::exec::{self, End, Fault, MARK, Output, complain};
use super::frame::Request;
use super::pool::Pool;

/// Bytes of output in one reading.
const PIECE: usize = 64 << 10;
/// How long output is gathered.
const GATHER: Duration = Duration::from_millis(250);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a request that may take a second more.
const SLOWEST: usize = 64 << 10;
/// Bytes of output that a command that is waited for may have.
const MOST_SAID: usize = 1 << 20;
/// How long a command may take to end when it is told to.
const GRACE: Duration = Duration::from_secs(15);

const CHECK: &str = include_str!("scripts/check.sh");

/// Jobs over SSH, on whatever nodes there is an access to.
pub struct Jobs {
    pool: Pool,
}

impl Jobs {
    /// With the access as `access` gives it at each call. A connection that is not made is tried again after `pause`,
    /// which doubles.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, access: AccessOf, pause: Duration) -> Self {
        Self { pool: Pool::new(clock, access, pause) }
    }

    /// Asks the helper on a node.
    async fn ask(&self, node: &Node, request: Request, more_patience: Duration) -> Result<Bytes, JobError> {
        let patience = PATIENCE + more_patience + Duration::from_secs((request.size() / SLOWEST) as u64);
        self.pool
            .with(node, |connection| {
                let request = request.clone();
                async move { connection.helper().await?.ask(request, patience).await }.boxed()
            })
            .await
    }
}

#[async_trait]
impl RemoteJob for Jobs {
    async fn start(&self, node: &Node, job: &Job, wait: Duration) -> Result<(Started, JobReading), JobError> {
        let [wait_ms, gather, most] = pace(wait);
        let words = [job.id.to_string(), wait_ms, gather, most];
        let answer = self.ask(node, request("start", words, &job.command)?, wait).await?;
        // What answers in other words may have started it.
        begun(&answer).ok_or_else(|| {
            let (line, _) = first_line(&answer);
            JobError::Lost(format!("node {node} does not say what became of job {}: {line}", job.id))
        })
    }

    async fn run(&self, node: &Node, command: &Command) -> Result<Ran, JobError> {
        let request = request("run", [MOST_SAID.to_string()], command)?;
        let answer = self.ask(node, request, command.timeout + GRACE).await?;
        let (line, output) = first_line(&answer);
        let exit = exit(&line)
            .ok_or_else(|| JobError::Failed(format!("node {node} does not say how it ended: {line}")))?;
        Ok(Ran { output: output.to_vec(), exit })
    }

    async fn end(&self, node: &Node, operations: &[OperationId]) -> Result<bool, JobError> {
        let request = Request::new("end", operations.iter().map(ToString::to_string));
        match &*self.ask(node, request, GRACE).await? {
            b"yes" => Ok(true),
            _ => Ok(false),
        }
    }

    async fn read(
        &self,
        node: &Node,
        id: JobId,
        offset: u64,
        wait: Duration,
    ) -> Result<JobReading, JobError> {
        let [wait_ms, gather, most] = pace(wait);
        let arguments = [id.to_string(), offset.to_string(), wait_ms, gather, most];
        let answer = self.ask(node, Request::new("read", arguments), wait).await?;
        reading(&answer, offset).ok_or_else(|| {
            let (line, _) = first_line(&answer);
            JobError::Failed(format!("node {node} does not say how job {id} stands: {line}"))
        })
    }

    async fn cancel(&self, node: &Node, id: JobId) -> Result<(), JobError> {
        self.ask(node, Request::new("cancel", [id.to_string()]), Duration::ZERO).await.map(|_| ())
    }

    async fn forget(&self, node: &Node, operation: OperationId) -> Result<(), JobError> {
        self.ask(node, Request::new("forget", [operation.to_string()]), Duration::ZERO).await.map(|_| ())
    }

    async fn check(&self, node: &Node, programs: &[&str]) -> Result<Vec<String>, JobError> {
        let checked = self.pool.at_once(node, |connection| {
            let words = connection.root().iter().copied();
            let words = words.chain(["sh", "-c", CHECK, "lxcd-job", connection.base()]);
            let words = words.chain(programs.iter().copied()).map(str::to_owned).collect();
            let command = exec::Command { words, patience: PATIENCE };
            async move { lines(&connection.session.run(&command).await?) }.boxed()
        });
        match checked.await {
            // Logged in, but nothing can be run as root.
            Err(JobError::Failed(why)) => Ok(vec![why]),
            other => other,
        }
    }
}

/// What our script says behind the mark.
fn lines(output: &Output) -> Result<Vec<String>, Fault> {
    let failed = |end: &str| Err(Fault::Failed(end.to_owned()));
    if output.end != End::Code(0) {
        return failed(&complain(&output.stderr, &output.end));
    }
    let Some(at) = output.stdout.windows(MARK.len()).position(|bytes| bytes == MARK) else {
        return failed("its answer is not ours");
    };
    let said = String::from_utf8_lossy(&output.stdout[at..]);
    Ok(said.lines().skip(1).map(str::to_owned).collect())
}

/// How a reading is asked for: how long it may wait, how long it gathers, and how much it may be.
fn pace(wait: Duration) -> [String; 3] {
    let [wait, gather] = [wait, GATHER.min(wait)].map(|time| time.as_millis().to_string());
    [wait, gather, PIECE.to_string()]
}

/// What makes the helper run a command: `words`, time-out, checksum, standard input, and the command's words.
fn request<const N: usize>(
    verb: &'static str,
    words: [String; N],
    command: &Command,
) -> Result<Request, JobError> {
    let bad = |why: &str| JobError::Failed(format!("a command that cannot be started: {why}"));
    if command.argv.first().is_none_or(String::is_empty) {
        return Err(bad("it has no program"));
    }
    if command.argv.iter().any(|word| word.contains('\0')) {
        return Err(bad("one of its words has a NUL in it"));
    }
    let argv = command.argv.iter().flat_map(|word| word.bytes().chain([0]));
    let sum = Sha256::new().chain_update(argv.collect::<Vec<u8>>()).chain_update(&command.stdin).finalize();
    let timeout = command.timeout.as_millis().to_string();
    let mut request = Request::new(verb, words.into_iter().chain([timeout, hex::encode(sum)]));
    request.arguments.push(Bytes::from(command.stdin.clone()));
    request.arguments.extend(command.argv.iter().cloned().map(Bytes::from));
    Ok(request)
}

/// The first line in words, and what is behind it.
fn first_line(answer: &[u8]) -> (String, &[u8]) {
    let end = answer.iter().position(|byte| *byte == b'\n').unwrap_or(answer.len());
    let line = String::from_utf8_lossy(&answer[..end]).into_owned();
    (line, answer.get(end + 1..).unwrap_or_default())
}

/// `now` or `before`, a line break, and a reading from the begin.
fn begun(answer: &[u8]) -> Option<(Started, JobReading)> {
    let (line, rest) = first_line(answer);
    let started = match &*line {
        "now" => Started::Now,
        "before" => Started::Before,
        _ => return None,
    };
    Some((started, reading(rest, 0)?))
}

/// `NEXT STATE WORDS`, a line break, and the output before `NEXT`, which is behind `offset`.
fn reading(answer: &[u8], offset: u64) -> Option<JobReading> {
    let (line, output) = first_line(answer);
    let (next, state) = standing(&line)?;
    let skipped = next.checked_sub(offset)?.checked_sub(output.len() as u64)?;
    Some(JobReading { skipped, output: output.to_vec(), next, state })
}

/// `NEXT STATE WORDS`
fn standing(line: &str) -> Option<(u64, JobState)> {
    let mut words = line.splitn(3, ' ');
    let (next, state, rest) = (words.next()?.parse().ok()?, words.next()?, words.next().unwrap_or_default());
    let state = match state {
        "absent" => JobState::Absent,
        "running" => JobState::Running,
        "ended" => JobState::Ended(exit(rest)?),
        "lost" => JobState::Lost(rest.to_owned()),
        _ => return None,
    };
    Some((next, state))
}

fn exit(text: &str) -> Option<JobExit> {
    let (how, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    match how {
        "code" => rest.parse().ok().map(JobExit::Code),
        "signal" => rest.parse().ok().map(JobExit::Signal),
        "timeout" => Some(JobExit::TimedOut),
        "cancelled" => Some(JobExit::Cancelled),
        "failed" => Some(JobExit::NotStarted(rest.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_read() {
        let ended = |exit| Some((7, JobState::Ended(exit)));
        for (line, state) in [
            ("7 absent ", Some((7, JobState::Absent))),
            ("7 absent", Some((7, JobState::Absent))),
            ("0 running ", Some((0, JobState::Running))),
            ("7 ended code 137", ended(JobExit::Code(137))),
            ("7 ended signal 9", ended(JobExit::Signal(9))),
            ("7 ended timeout", ended(JobExit::TimedOut)),
            ("7 ended cancelled", ended(JobExit::Cancelled)),
            ("7 ended failed a b: No such file", ended(JobExit::NotStarted("a b: No such file".into()))),
            ("7 lost the node was restarted", Some((7, JobState::Lost("the node was restarted".into())))),
            ("", None),
            ("x running", None),
            ("7 dancing", None),
            ("7 ended", None),
            ("7 ended code 700", None),
        ] {
            assert_eq!(standing(line), state, "{line}");
        }
    }

    #[test]
    fn a_reading_says_how_much_is_missing() {
        let state = JobState::Running;
        let read = JobReading { skipped: 0, output: b"a\n\xff".to_vec(), next: 10, state };
        assert_eq!(reading(b"10 running \na\n\xff", 7), Some(read.clone()));
        assert_eq!(reading(b"10 running \na\n\xff", 2), Some(JobReading { skipped: 5, ..read }));
        for wrong in [&b"10 running \nabcd"[..], b"6 running", b"10 \xff\nabc", b"\n", b""] {
            assert_eq!(reading(wrong, 7), None);
        }
    }

    #[test]
    fn a_start_is_answered_with_the_begin() {
        let read = JobReading { skipped: 0, output: b"a\n".to_vec(), next: 2, state: JobState::Running };
        assert_eq!(begun(b"now\n2 running \na\n"), Some((Started::Now, read.clone())));
        assert_eq!(begun(b"before\n2 running \na\n"), Some((Started::Before, read)));
        for wrong in
            [&b"now"[..], b"now\n", b"now\n1 running \na\n", b"2 running \na\n", b"never\n0 running \n"]
        {
            assert_eq!(begun(wrong), None);
        }
    }

    #[test]
    fn a_greeting_of_the_shell_is_no_answer() {
        let output = |stdout: &[u8], code| Output {
            stdout: stdout.to_vec(),
            stderr: "no room".to_owned(),
            end: End::Code(code),
        };
        let greeted = output(b"Welcome\nLXCD-JOB\nperl: not installed\n", 0);
        assert_eq!(lines(&greeted).unwrap(), ["perl: not installed"]);
        assert!(
            matches!(lines(&output(b"LXCD-JOB\n", 1)), Err(Fault::Failed(why)) if why.contains("no room"))
        );
        lines(&output(b"Welcome\n", 0)).unwrap_err();
    }
}
