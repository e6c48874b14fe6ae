//! What `/proc` says about the peer's process. Owns the parsing; everything here is beside the facts
//! the kernel vouches for: the process may be gone, or its pid somebody else's by now.

use std::fs;
use std::io::Read;
use std::path::Path;

/// What could be read about a process; empty where it could not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) tty: String,
    pub(super) login_uid: Option<u32>,
    pub(super) sudo_uid: Option<u32>,
}

impl Process {
    /// Reads `root/PID/…`; `root` is `/proc`.
    pub(super) fn read(root: &Path, pid: u32) -> Self {
        let directory = root.join(pid.to_string());
        let text = |file: &str| {
            let mut bytes = Vec::new();
            // An environment can be megabytes long; what is asked for stands early or not at all.
            let opened = fs::File::open(directory.join(file)).ok()?;
            opened.take(128 << 10).read_to_end(&mut bytes).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        Self {
            name: text("comm").map(|comm| name(&comm)).unwrap_or_default(),
            tty: text("stat").and_then(|stat| tty(&stat)).unwrap_or_default(),
            login_uid: text("loginuid").and_then(|uid| login_uid(&uid)),
            sudo_uid: text("environ").and_then(|environ| sudo_uid(&environ)),
        }
    }
}

/// A process may call itself anything.
fn name(comm: &str) -> String {
    comm.trim().chars().filter(|c| !c.is_control()).take(64).collect()
}

/// `pts/3` from field 7 of `stat`; the name in field 2 may hold spaces and brackets.
fn tty(stat: &str) -> Option<String> {
    let (_, fields) = stat.rsplit_once(')')?;
    let device: u32 = fields.split_whitespace().nth(4)?.parse::<i32>().ok()?.cast_unsigned();
    // Minor numbers are split around the major one (kernel, new_encode_dev).
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xf_ff00));
    match major {
        136..=143 => Some(format!("pts/{}", minor + (major - 136) * 256)),
        4 if minor < 64 => Some(format!("tty{minor}")),
        4 => Some(format!("ttyS{}", minor - 64)),
        _ => None,
    }
}

/// All ones is "nobody logged in".
fn login_uid(text: &str) -> Option<u32> {
    text.trim().parse().ok().filter(|uid| *uid != u32::MAX)
}

/// `SUDO_UID` of the environment it was started with.
fn sudo_uid(environ: &str) -> Option<u32> {
    environ.split('\0').find_map(|pair| pair.strip_prefix("SUDO_UID="))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_there_is() {
        let proc = tempfile::tempdir().unwrap();
        let directory = proc.path().join("42");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("comm"), "lxcctl\u{1b}[31m\n").unwrap();
        fs::write(directory.join("stat"), "42 (a) b (c) S 1 42 42 34819 99 0").unwrap();
        fs::write(directory.join("loginuid"), "1000").unwrap();
        fs::write(directory.join("environ"), "A=1\0SUDO_UID=1001\0").unwrap();
        let process = Process::read(proc.path(), 42);
        assert_eq!((process.name.as_str(), process.tty.as_str()), ("lxcctl[31m", "pts/3"));
        assert_eq!((process.login_uid, process.sudo_uid), (Some(1000), Some(1001)));
        assert_eq!(Process::read(proc.path(), 43), Process::default());
    }

    #[test]
    fn knows_terminals() {
        let stat = |device: u32| tty(&format!("1 (x) S 1 1 1 {} 0", device.cast_signed()));
        assert_eq!(stat(0), None);
        assert_eq!(stat(4 << 8 | 1).as_deref(), Some("tty1"));
        assert_eq!(stat(4 << 8 | 64).as_deref(), Some("ttyS0"));
        assert_eq!(stat(136 << 8 | 0x10_0000 | 4).as_deref(), Some("pts/260"));
        assert_eq!(login_uid("4294967295"), None);
    }

    proptest! {
        #[test]
        fn never_panics(stat in ".{0,80}", device in any::<i32>()) {
            let _ = tty(&stat);
            let _ = tty(&format!("1 (x) S 1 1 1 {device} 0"));
        }
    }
}
