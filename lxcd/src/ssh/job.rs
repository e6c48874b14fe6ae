//! Jobs on nodes over SSH: the half of the protocol that asks. Owns what is sent and how answers are read; the other
//! half are the programs in `scripts/`, which never change with what they are given.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use lxc_core::ids::OperationId;
use lxc_core::job::{Job, JobExit, JobId, JobReading, JobState, Node, Started};
use lxc_core::ports::{Clock, JobError, RemoteJob};
use sha2::{Digest, Sha256};

use super::access::{Access, AccessOf};
use super::exec::{Command, End, Output};
use super::pool::{ATTEMPTS, Pool};

/// Bytes of output in one reading.
const PIECE: usize = 64 << 10;
/// How long output is gathered.
const GATHER: Duration = Duration::from_millis(250);
/// How long nothing may come from a node.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a job's output that are kept on the node.
const ROOM: u64 = 64 << 20;
/// What our programs say before anything else: a log-in shell may have greeted.
const MARK: &[u8] = b"LXCD-JOB";

const START: &str = include_str!("scripts/start.sh");
const CHECK: &str = include_str!("scripts/check.sh");
const RUN: &str = concat!(include_str!("scripts/common.pl"), include_str!("scripts/run.pl"));
const READ: &str = concat!(include_str!("scripts/common.pl"), include_str!("scripts/read.pl"));
const CANCEL: &str = concat!(include_str!("scripts/common.pl"), include_str!("scripts/cancel.pl"));
const FORGET: &str = concat!(include_str!("scripts/common.pl"), include_str!("scripts/forget.pl"));

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

    /// Runs one of our programs; what it says behind the mark, in (first line, rest).
    async fn ask(
        &self,
        node: &Node,
        words: impl Fn(&Access) -> Vec<String> + Send + Sync,
        stdin: Vec<Bytes>,
        patience: Duration,
    ) -> Result<(String, Vec<u8>), JobError> {
        let command = |access: &Access| {
            let mut all = words(access);
            if access.user != "root" {
                all.splice(0..0, ["sudo", "-n"].map(str::to_owned));
            }
            Command { words: all, stdin: stdin.clone(), patience }
        };
        let output = self.pool.run(node, command).await?;
        answer(node, &output)
    }
}

fn answer(node: &Node, output: &Output) -> Result<(String, Vec<u8>), JobError> {
    let how = match &output.end {
        End::Code(0) => None,
        End::Code(code) => Some(format!("exit code {code}")),
        End::Signal(name) => Some(format!("signal {name}")),
        End::Refused => Some("its SSH server runs no commands for us".to_owned()),
    };
    let at = output.stdout.windows(MARK.len()).position(|bytes| bytes == MARK);
    match (how, at) {
        (None, Some(at)) => {
            let said = &output.stdout[at + MARK.len()..];
            let end = said.iter().position(|byte| *byte == b'\n').unwrap_or(said.len());
            let line = String::from_utf8_lossy(&said[..end]).trim().to_owned();
            Ok((line, said.get(end + 1..).unwrap_or_default().to_vec()))
        }
        (how, _) => {
            let said = if output.stderr.is_empty() { "it said nothing" } else { &output.stderr };
            let how = how.unwrap_or_else(|| "its answer is not ours".to_owned());
            Err(JobError::Failed(format!("node {node} failed: {said} ({how})")))
        }
    }
}

fn shell(script: &str, args: Vec<String>) -> Vec<String> {
    ["sh", "-c", script, "lxcd-job"].map(str::to_owned).into_iter().chain(args).collect()
}

fn perl(script: &str, args: Vec<String>) -> Vec<String> {
    ["perl", "-e", script, "--"].map(str::to_owned).into_iter().chain(args).collect()
}

fn directory(access: &Access, id: JobId) -> String {
    format!("{}/{id}", access.job_dir)
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
        let argv: Vec<u8> = job.argv.iter().flat_map(|word| word.bytes().chain([0])).collect();
        let sum = hex::encode(Sha256::new().chain_update(&argv).chain_update(&job.stdin).finalize());
        let bytes = [argv.len(), argv.len() + job.stdin.len()].map(|bytes| bytes.to_string());
        let stdin = vec![Bytes::from(argv), Bytes::from(job.stdin.clone())];
        let words = |access: &Access| {
            let [argv_bytes, bytes] = bytes.clone();
            let (name, timeout) = (job.id.to_string(), job.timeout.as_millis().to_string());
            let args = [access.job_dir.clone(), name, argv_bytes, bytes, sum.clone(), timeout];
            shell(START, args.into_iter().chain([ROOM.to_string(), RUN.to_owned()]).collect())
        };
        let (line, _) = self.ask(node, words, stdin, PATIENCE).await?;
        match line.as_str() {
            "now" => Ok(Started::Now),
            "before" => Ok(Started::Before),
            _ => Err(JobError::Failed(format!(
                "node {node} does not say what became of job {}: {line}",
                job.id
            ))),
        }
    }

    async fn read(
        &self,
        node: &Node,
        id: JobId,
        offset: u64,
        wait: Duration,
    ) -> Result<JobReading, JobError> {
        let times = [wait, GATHER.min(wait)].map(|time| time.as_millis().to_string());
        let words = |access: &Access| {
            let [wait, gather] = times.clone();
            let args = vec![directory(access, id), offset.to_string(), wait, gather, PIECE.to_string()];
            perl(READ, args)
        };
        let (line, output) = self.ask(node, words, Vec::new(), wait + PATIENCE).await?;
        let (next, state) =
            reading(&line).filter(|(next, _)| *next == offset + output.len() as u64).ok_or_else(|| {
                JobError::Failed(format!("node {node} does not say how job {id} stands: {line}"))
            })?;
        Ok(JobReading { output, next, state })
    }

    async fn cancel(&self, node: &Node, id: JobId) -> Result<(), JobError> {
        let words = |access: &Access| perl(CANCEL, vec![directory(access, id)]);
        self.ask(node, words, Vec::new(), PATIENCE).await.map(|_| ())
    }

    async fn forget(&self, node: &Node, operation: OperationId) -> Result<(), JobError> {
        let words = |access: &Access| perl(FORGET, vec![access.job_dir.clone(), operation.to_string()]);
        self.ask(node, words, Vec::new(), PATIENCE).await.map(|_| ())
    }

    async fn check(&self, node: &Node, programs: &[&str]) -> Result<Vec<String>, JobError> {
        let words = |access: &Access| {
            let programs = programs.iter().map(|program| (*program).to_owned());
            shell(CHECK, [access.job_dir.clone()].into_iter().chain(programs).collect())
        };
        match self.ask(node, words, Vec::new(), PATIENCE).await {
            Ok((_, lines)) => Ok(String::from_utf8_lossy(&lines).lines().map(str::to_owned).collect()),
            // Logged in, but nothing can be run as root.
            Err(JobError::Failed(why)) => Ok(vec![why]),
            Err(error) => Err(error),
        }
    }
}

/// `NEXT STATE WORDS`
fn reading(line: &str) -> Option<(u64, JobState)> {
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
            assert_eq!(reading(line), state, "{line}");
        }
    }

    #[test]
    fn a_greeting_of_the_shell_is_no_answer() {
        let node =
            Node { installation: lxc_core::ids::Installation("x".to_owned()), name: "pve1".to_owned() };
        let output = |stdout: &[u8], code| Output {
            stdout: stdout.to_vec(),
            stderr: "no room".to_owned(),
            end: End::Code(code),
        };
        let greeted = output(b"Welcome\nLXCD-JOB 7 running \nabc\n\xff", 0);
        assert_eq!(answer(&node, &greeted).unwrap(), ("7 running".to_owned(), b"abc\n\xff".to_vec()));
        let failed = answer(&node, &output(b"LXCD-JOB now\n", 1)).unwrap_err().to_string();
        assert!(failed.contains("no room") && failed.contains("pve1"), "{failed}");
        answer(&node, &output(b"Welcome\n", 0)).unwrap_err();
    }
}
