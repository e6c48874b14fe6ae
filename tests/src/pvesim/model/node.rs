//! A node and its storages.
//!
//! Owns reachability, process numbering and what the node is made of. Must not know containers.

use crate::pvesim::clock::Ms;
use crate::pvesim::noise;

/// A storage of the installation, present on every node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// Its id.
    pub id: String,
    /// Its type: dir, lvmthin, nfs …
    pub kind: String,
    /// What it may hold, comma separated.
    pub content: String,
    /// Is it the same on every node?
    pub shared: bool,
    /// Capacity in bytes.
    pub total: u64,
    /// Bytes in use.
    pub used: u64,
}

impl Storage {
    /// The directory storage every installation starts with.
    #[must_use]
    pub fn local() -> Self {
        Self {
            id: "local".into(),
            kind: "dir".into(),
            content: "vztmpl,iso,backup,rootdir,snippets,images".into(),
            shared: false,
            total: 270_553_174_016,
            used: 18_254_712_832,
        }
    }

    /// A thin pool for disks.
    #[must_use]
    pub fn local_lvm() -> Self {
        Self {
            id: "local-lvm".into(),
            kind: "lvmthin".into(),
            content: "rootdir,images".into(),
            shared: false,
            total: 1_024_209_543_168,
            used: 204_841_908_633,
        }
    }

    /// May it hold this kind of content?
    #[must_use]
    pub fn holds(&self, content: &str) -> bool {
        self.content.split(',').any(|c| c == content)
    }
}

/// A template file on a storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateFile {
    /// `storage:vztmpl/file`.
    pub volid: String,
    /// Bytes.
    pub size: u64,
    /// Unix time of its arrival.
    pub ctime: i64,
}

/// One node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Can it be reached?
    pub online: bool,
    /// Since when it can or cannot.
    pub since: Ms,
    /// Is pvedaemon up? Without it only pveproxy's own calls are answered.
    pub daemon: bool,
    /// Its address.
    pub ip: String,
    /// Processors.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory: u64,
    /// Seconds it had been up at model time zero.
    pub head_start_s: i64,
    /// When it last booted; zero means before the start.
    pub booted: Ms,
    /// Bridges a container may use.
    pub bridges: Vec<String>,
    next_pid: u32,
}

impl Node {
    /// The `index`-th node of an installation.
    #[must_use]
    pub fn new(name: &str, index: usize, seed: u64) -> Self {
        let key = noise::mix(seed, index as u64 + 0xA0DE);
        Self {
            name: name.to_owned(),
            online: true,
            since: 0,
            daemon: true,
            ip: format!("10.66.{}.{}", index / 250, index % 250 + 1),
            cpus: [8, 16, 32][(key % 3) as usize],
            memory: [32u64, 64, 128][(key >> 8) as usize % 3] << 30,
            head_start_s: noise::between(key, 86_400, 4_000_000) as i64,
            booted: 0,
            bridges: vec!["vmbr0".into(), "vmbr1".into()],
            next_pid: 1000 + (key % 9000) as u32,
        }
    }

    /// The process id of the next worker.
    pub(super) fn fork(&mut self) -> u32 {
        self.next_pid = self.next_pid % 0x003F_FFFF + 1;
        self.next_pid
    }
}
