//! Tasks: the UPID, how a task ends, what a task list says. Owns their parsing; must not decide what
//! an operation makes of them (`op::plan`, `op::adopt`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `UPID:{node}:{pid}:{pstart}:{starttime}:{type}:{id}:{user}:` (pve-common UPID.pm:18-58).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Upid {
    raw: String,
    /// Node that runs it; the one to ask, also after a migration.
    pub node: String,
    /// When it began, seconds since the epoch in the *node's* clock.
    pub start_time: i64,
    /// `vzstart`, `hastop`, …
    pub kind: String,
    /// The vmid, mostly; may be empty or hold `@`.
    pub id: String,
    /// `user@realm` or `user@realm!token`.
    pub user: String,
}

/// The text was no UPID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a UPID: {0:?}")]
pub struct BadUpid(pub String);

impl Upid {
    /// As Proxmox wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.raw
    }
}

fn hex_field(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let hex = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if hex { i64::from_str_radix(text, 16).ok() } else { None }
}

impl FromStr for Upid {
    type Err = BadUpid;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let bad = || BadUpid(raw.chars().take(200).collect());
        let fields: Vec<&str> = raw.split(':').collect();
        let [prefix, node, pid, pstart, start, kind, id, user, end] = fields[..] else {
            return Err(bad());
        };
        let named = !node.is_empty() && !kind.is_empty() && !user.is_empty();
        if prefix != "UPID" || !end.is_empty() || !named {
            return Err(bad());
        }
        hex_field(pid, 8..=8).ok_or_else(bad)?;
        // pstart has nine digits after ~500 days of uptime.
        hex_field(pstart, 8..=9).ok_or_else(bad)?;
        let start_time = hex_field(start, 8..=8).ok_or_else(bad)?;
        Ok(Self {
            raw: raw.to_owned(),
            node: node.to_owned(),
            start_time,
            kind: kind.to_owned(),
            id: id.to_owned(),
            user: user.to_owned(),
        })
    }
}

impl fmt::Display for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raw)
    }
}

impl Serialize for Upid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.raw)
    }
}

impl<'de> Deserialize<'de> for Upid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// How a task ended (UPID.pm:70-106).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "exit", content = "text")]
pub enum TaskExit {
    /// `OK`
    Ok,
    /// `WARNINGS: n`; a success.
    Warnings(u32),
    /// `unexpected status`, `no such task` or `received interrupt`: nobody says what it did.
    Vanished(String),
    /// Anything else is the error text.
    Error(String),
}

impl TaskExit {
    /// What is noted of a task whose node does not answer while its container is somewhere else by now.
    pub const NO_ANSWER: &'static str = "no answer";

    /// Whether nobody could be asked, because the node was left behind.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        matches!(self, Self::Vanished(text) if text == Self::NO_ANSWER)
    }

    /// Reads an `exitstatus`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if text == "OK" {
            return Self::Ok;
        }
        if let Some(count) = text.strip_prefix("WARNINGS:") {
            return Self::Warnings(count.trim().parse().unwrap_or(1));
        }
        let vanished = matches!(text, "unexpected status" | "received interrupt" | "no such task")
            || text.starts_with("unable to get last line from task log");
        if vanished { Self::Vanished(text.to_owned()) } else { Self::Error(text.to_owned()) }
    }

    /// Proxmox's own word for it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Ok => "OK".to_owned(),
            Self::Warnings(count) => format!("WARNINGS: {count}"),
            Self::Vanished(text) | Self::Error(text) => text.clone(),
        }
    }
}

/// What `…/tasks/UPID/status` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskStatus {
    /// No end yet.
    Running,
    /// Ended so.
    Ended(TaskExit),
    /// The node has never heard of it (`400 no such task`): rotated away, or a rebuilt node.
    Unknown,
}

/// A row of `/nodes/N/tasks`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskEntry {
    /// Its name; user and token are read from here, since archived and active rows spell them apart.
    pub upid: Upid,
    /// Absent while it runs. A row without it proves nothing: the active list lags by up to 10 s.
    pub exit: Option<TaskExit>,
    /// End in the node's clock, seconds; only once archived.
    pub end_time: Option<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_upids() {
        let upid: Upid = "UPID:pve1:0003A1F2:01F0C3B7:6B01A463:vzshutdown:104:lxcd@pve!cli:".parse().unwrap();
        assert_eq!((upid.node.as_str(), upid.kind.as_str(), upid.id.as_str()), ("pve1", "vzshutdown", "104"));
        assert_eq!(upid.user, "lxcd@pve!cli");
        assert_eq!(upid.start_time, 0x6B01_A463);
        assert!("UPID:n:00000001:000000001:6B01A463:imgdel:104@local:root@pam:".parse::<Upid>().is_ok());
        for bad in [
            "",
            "UPID",
            "UPID:n:1:2:3:t:1:u:",
            "UPID:n:00000001:00000001:6B01A463:t:1:u",
            "UPID::00000001:00000001:6B01A463:t:1:u:",
        ] {
            assert!(bad.parse::<Upid>().is_err(), "{bad}");
        }
    }

    #[test]
    fn reads_endings() {
        assert_eq!(TaskExit::parse("OK"), TaskExit::Ok);
        assert_eq!(TaskExit::parse("WARNINGS: 3"), TaskExit::Warnings(3));
        assert!(matches!(TaskExit::parse("unexpected status"), TaskExit::Vanished(_)));
        assert!(matches!(TaskExit::parse("CT is locked (backup)"), TaskExit::Error(_)));
    }
}
