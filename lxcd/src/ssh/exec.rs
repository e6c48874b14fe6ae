//! One command over one connection. Owns quoting, what is kept of its output and how an end is told; must not know
//! what it runs.

use std::fmt;
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use tokio::time::timeout;

use super::session::Session;

/// What our programs say before anything else: a log-in shell may have greeted.
pub(super) const MARK: &[u8] = b"LXCD-JOB";
/// Bytes kept of what a command says on its standard output. What comes behind is thrown away.
const MOST_OUTPUT: usize = 256 << 10;
/// The same for its standard error.
const MOST_ERROR: usize = 4 << 10;

/// A command as words.
#[derive(Debug, Clone)]
pub(super) struct Command {
    /// The command and its arguments.
    pub(super) words: Vec<String>,
    /// How long nothing may come from the node until the connection counts as lost.
    pub(super) patience: Duration,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Output {
    /// Standard output.
    pub(super) stdout: Vec<u8>,
    /// Standard error.
    pub(super) stderr: String,
    /// How it ended.
    pub(super) end: End,
}

/// How a command on the node ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// By itself.
    Code(u32),
    /// By a signal of that name.
    Signal(String),
    /// sshd does not run commands for this log-in.
    Refused,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(name) => write!(f, "signal {name}"),
            Self::Refused => f.write_str("its SSH server runs no commands for us"),
        }
    }
}

/// What is said of a program that ended without an answer.
pub(super) fn complain(stderr: &str, end: &End) -> String {
    let said = if stderr.is_empty() { "it said nothing" } else { stderr };
    format!("{said} ({end})")
}

/// Why there is no output.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// The words cannot be a command.
    Words(String),
    /// The server opens no more channels; nothing has left.
    NoChannel(String),
    /// It was asked and did not do it; why.
    Failed(String),
    /// The connection is gone, or nothing came for too long: nobody knows if it had an effect.
    Lost(String),
}

/// Words so that a shell reads exactly these: sshd gives what it gets to the log-in shell.
pub(super) fn quote(words: &[String]) -> Result<String, String> {
    shlex::try_join(words.iter().map(String::as_str)).map_err(|error| error.to_string())
}

impl Session {
    /// Begins a command, on a channel of its own.
    pub(super) async fn begin(&self, command: &Command) -> Result<Channel<Msg>, Fault> {
        let line = quote(&command.words).map_err(Fault::Words)?;
        let lost = |error: russh::Error| Fault::Lost(error.to_string());
        let channel = match timeout(command.patience, self.0.channel_open_session()).await {
            Ok(Ok(channel)) => channel,
            Ok(Err(russh::Error::ChannelOpenFailure(why))) => {
                return Err(Fault::NoChannel(format!("{why:?}")));
            }
            Ok(Err(error)) => return Err(lost(error)),
            Err(_) => return Err(silent(command.patience)),
        };
        channel.exec(true, line).await.map_err(lost)?;
        Ok(channel)
    }

    /// Runs a command that reads nothing to its end.
    pub(super) async fn run(&self, command: &Command) -> Result<Output, Fault> {
        let mut channel = self.begin(command).await?;
        channel.eof().await.map_err(|error| Fault::Lost(error.to_string()))?;
        let (mut stdout, mut stderr, mut end) = (Vec::new(), Vec::new(), None);
        loop {
            let Ok(message) = timeout(command.patience, channel.wait()).await else {
                return Err(silent(command.patience));
            };
            match message {
                Some(ChannelMsg::Data { data }) => keep(&mut stdout, &data, MOST_OUTPUT),
                Some(ChannelMsg::ExtendedData { data, .. }) => keep(&mut stderr, &data, MOST_ERROR),
                Some(ChannelMsg::ExitStatus { exit_status }) => end = Some(End::Code(exit_status)),
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    end = Some(End::Signal(format!("{signal_name:?}")));
                }
                Some(ChannelMsg::Failure) => {
                    end = Some(End::Refused);
                    break;
                }
                Some(ChannelMsg::Close) | None => break,
                Some(_) => {}
            }
        }
        let stderr = String::from_utf8_lossy(&stderr).trim().to_owned();
        end.map(|end| Output { stdout, stderr, end })
            .ok_or_else(|| Fault::Lost("the connection was cut".to_owned()))
    }
}

fn silent(patience: Duration) -> Fault {
    Fault::Lost(format!("nothing came within {} s", patience.as_secs()))
}

/// Adds what there is room for.
pub(super) fn keep(kept: &mut Vec<u8>, more: &[u8], most: usize) {
    let room = most.saturating_sub(kept.len());
    kept.extend_from_slice(&more[..room.min(more.len())]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_exactly_the_words() {
        for word in
            ["; rm -rf /", "$(id) `id` \\ \" ' !", "two\nlines\r", "", "-n", "~", "täglich 日本", "a*b?[c]"]
        {
            let words = ["printf".to_owned(), "%s".to_owned(), word.to_owned()];
            let line = quote(&words).unwrap();
            for shell in ["sh", "bash"] {
                let output = std::process::Command::new(shell).args(["-c", &line]).output().unwrap();
                assert_eq!(String::from_utf8(output.stdout).unwrap(), word, "{shell}: {line}");
            }
        }
        quote(&["a\0b".to_owned()]).unwrap_err();
    }
}
