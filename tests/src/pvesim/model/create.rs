//! Creating a container.
//!
//! Owns the stages of the worker and the log it writes. The container exists, locked, from the moment the
//! request is accepted; a failed create removes it again.

use super::config::{Config, network, size_bytes, size_text};
use super::container::Behaviour;
use super::work::Next;
use super::{Container, Ha, TaskId, Vmid, Work, World};
use crate::pvesim::auth::Identity;
use crate::pvesim::noise;

/// A create request that passed its first checks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CreateRequest {
    /// Options of the new container, as given.
    pub options: Vec<(String, String)>,
    /// The template volume.
    pub ostemplate: String,
    /// Where the root disk goes.
    pub storage: String,
    /// Size of the root disk in bytes.
    pub disk: u64,
    /// Is the root disk a directory without a size limit?
    pub subvol: bool,
    /// Start it afterwards, in a task of its own.
    pub start: bool,
    /// Put it under HA.
    pub ha: bool,
    /// Put it into this pool.
    pub pool: Option<String>,
}

const TAR_FAILED: &str = "command 'lxc-usernsexec -m u:0:100000:65536 -m g:0:100000:65536 -- tar xpf - --zstd --totals \
--one-file-system -p --sparse --numeric-owner --acls --xattrs '--xattrs-include=user.*' \
'--xattrs-include=security.capability' '--warning=no-file-ignored' '--warning=no-xattr-write' -C \
/var/lib/lxc/{vmid}/rootfs --skip-old-files --anchored --exclude './dev/*'' failed: exit code 2";

impl World {
    /// Accepts a create request: the container exists from now on, locked.
    pub fn create(&mut self, node: usize, vmid: Vmid, who: &Identity, request: CreateRequest) -> TaskId {
        let mut ct = Container::new(vmid, node, Config::creating(), self.now(), 0);
        ct.behaviour = behaviour_of(&request);
        self.insert(ct);
        if let Some(pool) = &request.pool {
            self.access.pool_of.insert(vmid, pool.clone());
        }
        let task = self.spawn(node, "vzcreate", &vmid.to_string(), who, Work::Create(Box::new(request)));
        self.effect(vmid, "reserved", &self.tasks.get(task).map_or_else(String::new, |t| t.upid.clone()));
        task
    }

    pub(super) fn create_stage(
        &mut self,
        id: TaskId,
        vmid: Vmid,
        stage: u8,
        request: &CreateRequest,
    ) -> Next {
        let known = self.templates.iter().find(|t| t.volid == request.ostemplate).map(|t| t.size);
        match stage {
            0 => Next::Lock,
            1 => {
                self.say_formatting(id, vmid, request);
                Next::After(300)
            }
            2 => match known {
                None => {
                    let text = format!("volume '{}' does not exist", request.ostemplate);
                    self.say(id, &text);
                    self.create_failed(id, vmid, &text)
                }
                // As measured: about a second per 25 MB.
                Some(size) => Next::After(500 + size / 25_000 + self.lasting(id, 0, 800)),
            },
            _ => {
                let size = known.unwrap_or_default();
                let file = request.ostemplate.rsplit('/').next().unwrap_or_default();
                self.say(id, &format!("extracting archive '/var/lib/vz/template/cache/{file}'"));
                if size > request.disk && !request.subvol {
                    self.say(id, "tar: ./usr/bin/perl: Cannot write: No space left on device");
                    return self.create_failed(id, vmid, &TAR_FAILED.replace("{vmid}", &vmid.to_string()));
                }
                self.unpack(id, vmid, request, size)
            }
        }
    }

    fn unpack(&mut self, id: TaskId, vmid: Vmid, request: &CreateRequest, size: u64) -> Next {
        let read = size * 3;
        self.say(id, &format!("Total bytes read: {read} ({}MiB, 120MiB/s)", read >> 20));
        let ostype = request.options.iter().find(|(k, _)| k == "ostype").map(|(_, v)| v.as_str());
        let Some(ostype) = ostype.or_else(|| detected(&request.ostemplate)) else {
            self.say(id, "unknown ID 'busybox' in /etc/os-release file, trying fallback detection");
            return self.create_failed(id, vmid, "unable to detect OS distribution");
        };
        if ostype == "unmanaged" {
            self.say(id, "Falling back to amd64.");
            self.say(id, "Use `pct set VMID --arch ARCH` to change.");
        } else {
            self.say(id, "Detected container architecture: amd64");
        }
        let config = self.final_config(vmid, request, ostype);
        let nested = config.property("features", "nesting") == Some("1");
        let (upid, node, who) = match self.tasks.get(id) {
            Some(task) => (task.upid.clone(), task.node, task.who.clone()),
            None => return Next::ok(),
        };
        if let Some(ct) = self.container_mut(vmid) {
            ct.config = config;
            ct.ha = request.ha.then(|| Ha::new("stopped"));
        }
        self.effect(vmid, "created", &upid);
        if ostype == "debian" && !nested {
            self.warn(id, "Systemd 252 detected. You may need to enable nesting.");
        }
        if request.start {
            self.spawn(node, "vzstart", &vmid.to_string(), &who, Work::Start { debug: false });
        }
        Next::ok()
    }

    fn say_formatting(&mut self, id: TaskId, vmid: Vmid, request: &CreateRequest) {
        if request.subvol {
            return;
        }
        let blocks = request.disk / 4096;
        let lines = [
            format!(
                "Formatting '/var/lib/vz/images/{vmid}/vm-{vmid}-disk-0.raw', fmt=raw size={} preallocation=off",
                request.disk
            ),
            format!("Creating filesystem with {blocks} 4k blocks and {} inodes", blocks / 4),
            format!("Filesystem UUID: {}", noise::uuid(noise::mix(self.seed, id as u64))),
            "Superblock backups stored on blocks: ".to_owned(),
            "\t32768, 98304, 163840, 229376".to_owned(),
        ];
        lines.iter().for_each(|line| self.say(id, line));
    }

    /// Removes what a create that failed has made so far; any other task has made nothing.
    pub(super) fn undo_create(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get(id) else { return };
        if let (Work::Create(_), Some(vmid)) = (&task.work, task.vmid) {
            let upid = task.upid.clone();
            self.remove(vmid);
            self.effect(vmid, "destroyed", &upid);
        }
    }

    fn create_failed(&mut self, id: TaskId, vmid: Vmid, text: &str) -> Next {
        self.undo_create(id);
        Next::fail(format!("unable to create CT {vmid} - {text}"))
    }

    fn final_config(&self, vmid: Vmid, request: &CreateRequest, ostype: &str) -> Config {
        let mut config = Config::default();
        for (key, value) in [("arch", "amd64"), ("memory", "512"), ("swap", "512"), ("ostype", ostype)] {
            config.set(key, value);
        }
        for (key, value) in &request.options {
            let is_net = key.strip_prefix("net").is_some_and(|n| n.parse::<u8>().is_ok());
            let salt = noise::mix(self.seed ^ self.now(), u64::from(vmid) << 8 | u64::from(key.len() as u8));
            match key.as_str() {
                _ if is_net => config.set(key, &network(value, salt)),
                "unprivileged" | "template" if value == "0" => {}
                _ => config.set(key, value),
            }
        }
        let volume = if request.subvol {
            format!("{vmid}/subvol-{vmid}-disk-0.subvol,size=0T")
        } else {
            format!("{vmid}/vm-{vmid}-disk-0.raw,size={}", size_text(request.disk))
        };
        config.set("rootfs", &format!("{}:{volume}", request.storage));
        config
    }
}

/// The operating system of a template, by its name.
fn detected(ostemplate: &str) -> Option<&'static str> {
    let file = ostemplate.rsplit('/').next().unwrap_or_default();
    ["debian", "ubuntu", "alpine", "centos", "fedora", "archlinux"]
        .into_iter()
        .find(|os| file.starts_with(os))
}

/// A template whose name says so makes a container that behaves so.
fn behaviour_of(request: &CreateRequest) -> Behaviour {
    let nested = request.options.iter().any(|(k, v)| k == "features" && v.contains("nesting=1"));
    let debian = request.ostemplate.contains("debian");
    Behaviour {
        stubborn: request.ostemplate.contains("stubborn"),
        warns: debian && !nested,
        ..Behaviour::default()
    }
}

/// The size in a `rootfs` parameter of the form `storage:GB`.
#[must_use]
pub fn rootfs_size(rootfs: &str) -> Option<(String, u64, bool)> {
    let first = rootfs.split(',').find(|p| !p.contains('=') || p.starts_with("volume="))?;
    let volume = first.strip_prefix("volume=").unwrap_or(first);
    let (storage, size) = volume.split_once(':')?;
    let bytes = size_bytes(&format!("{size}G"))?;
    Some((storage.to_owned(), bytes, bytes == 0))
}
