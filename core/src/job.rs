//! Jobs on a node: what is to run there, what became of it, what it has said. Owns these words; must not know how
//! a node is reached nor what a container is.

use std::fmt;
use std::time::Duration;

use crate::ids::{Installation, OperationId};

/// A node: its name is Proxmox's and only unique in its installation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// Whose node.
    pub installation: Installation,
    /// Proxmox's exact name.
    pub name: String,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Which job. The same id is the same job, on whatever daemon and after whatever crash: it runs once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId {
    /// Whose step.
    pub operation: OperationId,
    /// Which step, counted from 0.
    pub step: usize,
}

impl fmt::Display for JobId {
    /// The name of its directory on the node.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.operation, self.step)
    }
}

/// A command for a node.
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    /// The command and its arguments. No shell reads them.
    pub argv: Vec<String>,
    /// What it reads on its standard input. May hold secrets: it has no name on the node.
    pub stdin: Vec<u8>,
    /// How long it may run; then TERM to its whole process group, and KILL 10 s later.
    pub timeout: Duration,
}

impl fmt::Debug for Command {
    /// Without what may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.argv.first())
            .field("stdin", &format_args!("{} bytes", self.stdin.len()))
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A command that runs on a node, detached from whoever started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Which one.
    pub id: JobId,
    /// What runs.
    pub command: Command,
}

/// What a command that was waited for has said, and how it ended.
#[derive(Clone, PartialEq, Eq)]
pub struct Ran {
    /// Standard output and error as they came, at most 1 MiB. May hold secrets.
    pub output: Vec<u8>,
    /// How it ended.
    pub exit: JobExit,
}

/// What starting a job came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// It was not there before.
    Now,
    /// It was there, whatever has become of it; nothing was started twice.
    Before,
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// It has not begun: starting it is safe and needed.
    Absent,
    /// It runs, or there is output that has not been read.
    Running,
    /// It has ended, and all its output has been read.
    Ended(JobExit),
    /// It has begun and nobody can tell how it ended; why.
    Lost(String),
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobExit {
    /// By itself, with that exit code.
    Code(u8),
    /// Somebody's signal of that number, not ours.
    Signal(u8),
    /// It was ended because its time was over.
    TimedOut,
    /// It was ended, or never begun, because [`cancel`](crate::ports::RemoteJob::cancel) asked for it.
    Cancelled,
    /// The command could not be executed; why.
    NotStarted(String),
}

impl fmt::Display for JobExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // As a shell tells that its command was killed.
            Self::Code(code @ 129..=192) => write!(f, "exit code {code} (killed by signal {})", code - 128),
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::NotStarted(why) => write!(f, "could not be executed: {why}"),
        }
    }
}

/// A piece of a job's output, with how it stood when that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobReading {
    /// Bytes that it has said between the offset and `output`, and that are not kept any more.
    pub skipped: u64,
    /// What it has said behind that, standard output and error as they came; at most 64 KiB.
    pub output: Vec<u8>,
    /// The offset behind that: what to ask for next.
    pub next: u64,
    /// How the job stands.
    pub state: JobState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_does_not_show_what_it_reads() {
        let operation = "01a1fe6a-2384-7b31-9c44-a1d24f9c2e1b".parse().unwrap();
        let command = Command {
            argv: vec!["sh".to_owned(), "hunter2".to_owned()],
            stdin: b"hunter2".to_vec(),
            timeout: Duration::from_secs(1),
        };
        let job = Job { id: JobId { operation, step: 3 }, command };
        assert_eq!(job.id.to_string(), "01a1fe6a-2384-7b31-9c44-a1d24f9c2e1b-3");
        assert!(!format!("{job:?}").contains("hunter2"));
    }
}
