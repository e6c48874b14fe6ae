//! Jobs on nodes over SSH: the half of the protocol that asks. Owns what is sent and how answers are read; the other
//! half are the programs in `scripts/`, which never change with what they are given.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use lxc_core::ids::OperationId;
use lxc_core::job::{Job, JobExit, JobId, JobReading, JobState, Node, Started};
use lxc_core::ports::{Clock, JobError, RemoteJob};
use sha2::{Digest, Sha256};

use super::access::AccessOf;
use super::exec::{Command, End, Fault, MARK, Output, complain};
use super::frame::Request;
use super::pool::{ATTEMPTS, Pool};

/// Bytes of output in one reading.
const PIECE: usize = 64 << 10;
/// How long output is gathered.
const GATHER: Duration = Duration::from_millis(250);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a request that may take a second more.
const SLOWEST: usize = 64 << 10;
/// Bytes of a job's output that are kept on the node.
const ROOM: u64 = 64 << 20;

const CHECK: &str = include_str!("scripts/check.sh");

/// Jobs over SSH, on whatever nodes there is an access to.
pub struct Jobs {
    pool: Pool,
}

impl Jobs {
    /// With the access as `access` gives it at each call.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, access: AccessOf) -> Self {
        Self { pool: Pool::new(clock, access, ATTEMPTS) }
    }

    /// The same for somebody who waits for an answer: a connection that is not made is not tried again.
    #[must_use]
    pub fn once(clock: Arc<dyn Clock>, access: AccessOf) -> Self {
        Self { pool: Pool::new(clock, access, 1) }
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
    async fn start(&self, node: &Node, job: &Job) -> Result<Started, JobError> {
        let bad = |why: &str| JobError::Failed(format!("job {} cannot be started: {why}", job.id));
        if job.argv.first().is_none_or(String::is_empty) {
            return Err(bad("it has no command"));
        }
        if job.argv.iter().any(|word| word.contains('\0')) {
            return Err(bad("a word of its command has a NUL in it"));
        }
        let argv = job.argv.iter().flat_map(|word| word.bytes().chain([0]));
        let sum = Sha256::new().chain_update(argv.collect::<Vec<u8>>()).chain_update(&job.stdin).finalize();
        let timeout = job.timeout.as_millis().to_string();
        let mut request =
            Request::new("start", [job.id.to_string(), timeout, ROOM.to_string(), hex::encode(sum)]);
        request.arguments.push(Bytes::from(job.stdin.clone()));
        request.arguments.extend(job.argv.iter().cloned().map(Bytes::from));
        match &*self.ask(node, request, Duration::ZERO).await? {
            b"now" => Ok(Started::Now),
            b"before" => Ok(Started::Before),
            other => {
                let (id, other) = (job.id, String::from_utf8_lossy(other));
                Err(JobError::Failed(format!("node {node} does not say what became of job {id}: {other}")))
            }
        }
    }

    async fn read(
        &self,
        node: &Node,
        id: JobId,
        offset: u64,
        wait: Duration,
    ) -> Result<JobReading, JobError> {
        let [wait_ms, gather] = [wait, GATHER.min(wait)].map(|time| time.as_millis().to_string());
        let arguments = [id.to_string(), offset.to_string(), wait_ms, gather, PIECE.to_string()];
        let answer = self.ask(node, Request::new("read", arguments), wait).await?;
        reading(&answer, offset).ok_or_else(|| {
            let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line);
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
        let checked = self.pool.with(node, |connection| {
            let words = connection.root().iter().copied();
            let words = words.chain(["sh", "-c", CHECK, "lxcd-job", connection.base()]);
            let words = words.chain(programs.iter().copied()).map(str::to_owned).collect();
            let command = Command { words, patience: PATIENCE };
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

/// `NEXT STATE WORDS`, a line break, and the output behind `offset`.
fn reading(answer: &[u8], offset: u64) -> Option<JobReading> {
    let end = answer.iter().position(|byte| *byte == b'\n')?;
    let (next, state) = standing(std::str::from_utf8(&answer[..end]).ok()?)?;
    let output = answer[end + 1..].to_vec();
    (next == offset + output.len() as u64).then_some(JobReading { output, next, state })
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
    fn a_reading_is_as_long_as_it_says() {
        let state = JobState::Running;
        let read = JobReading { output: b"a\n\xff".to_vec(), next: 10, state };
        assert_eq!(reading(b"10 running \na\n\xff", 7), Some(read));
        for wrong in [&b"10 running \na\n"[..], b"10 running", b"10 \xff\nabc", b""] {
            assert_eq!(reading(wrong, 7), None);
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
