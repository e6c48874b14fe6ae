//! What a test does to the simulated world behind lxcd's back.
//!
//! Owns the operations (`Control`, in process) and their HTTP form (`http`, for tests in another process).
//! Everything done here is in the ledger.

pub mod http;

use serde::{Deserialize, Serialize};

use super::CtSpec;
use super::api::App;
use super::auth::{Access, Identity};
use super::fault::{Fault, FaultError, FaultInfo};
use super::model::{Counters, Entry, Ha, Record, Work, World};

/// Why an operation was not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No node of that name.
    #[error("no node '{0}'")]
    NoNode(String),
    /// No container of that number.
    #[error("no container {0}")]
    NoContainer(u32),
    /// A fault specification that cannot be read.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// Anything else.
    #[error("{0}")]
    Bad(String),
}

/// Changes to a container; what is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CtChange {
    /// Runs or not, as if it happened inside the container.
    pub running: Option<bool>,
    /// The lock in its configuration; an empty text removes it.
    pub lock: Option<String>,
    /// Put it on this node.
    pub node: Option<String>,
    /// Ignores a clean shutdown.
    pub stubborn: Option<bool>,
    /// Seconds its start takes.
    pub start_seconds: Option<f64>,
    /// Its start ends with a warning.
    pub warns: Option<bool>,
    /// Its start fails.
    pub fails_start: Option<bool>,
    /// The state of its HA service; an empty text takes it out of HA.
    pub ha: Option<String>,
    /// Somebody has HA relocate it to this node.
    pub relocate: Option<String>,
    /// Options of its configuration; an empty text removes one.
    pub config: std::collections::BTreeMap<String, String>,
}

/// A container as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CtView {
    /// Its number.
    pub vmid: u32,
    /// Its name.
    pub name: String,
    /// Its node.
    pub node: String,
    /// Does it run?
    pub running: bool,
    /// The lock in its configuration.
    pub lock: Option<String>,
    /// The state of its HA service.
    pub ha: Option<String>,
    /// Differs when the number was used again.
    pub incarnation: u64,
}

/// The operations, on a running simulation.
#[derive(Debug, Clone, Copy)]
pub struct Control<'a> {
    app: &'a App,
}

type Done = Result<(), ControlError>;

impl<'a> Control<'a> {
    /// Control over `app`.
    #[must_use]
    pub fn new(app: &'a App) -> Self {
        Self { app }
    }

    fn act(self, what: String, f: impl FnOnce(&mut World) -> Done) -> Done {
        self.app.world(|world| {
            let now = world.now();
            world.ledger.note(now, Record::Control { what });
            f(world)
        })
    }

    /// The ledger, after the entry of that number.
    #[must_use]
    pub fn ledger(self, after: u64) -> Vec<Entry> {
        self.app.world(|w| w.ledger.entries().iter().skip(after as usize).cloned().collect())
    }

    /// The request counters.
    #[must_use]
    pub fn counters(self) -> Counters {
        self.app.world(|w| w.ledger.counters.clone())
    }

    /// Sets the counters to zero.
    pub fn reset_counters(self) {
        self.app.world(|w| w.ledger.counters = Counters::default());
    }

    /// All containers.
    #[must_use]
    pub fn containers(self) -> Vec<CtView> {
        self.app.world(|w| {
            let view = |ct: &super::model::Container| CtView {
                vmid: ct.vmid,
                name: ct.name(),
                node: w.node_name(ct.node).to_owned(),
                running: ct.running(),
                lock: ct.lock().map(str::to_owned),
                ha: ct.ha.as_ref().map(|ha| ha.state.clone()),
                incarnation: ct.incarnation,
            };
            w.containers().map(view).collect()
        })
    }

    /// Orders a fault.
    pub fn add_fault(self, spec: &str) -> Done {
        let fault: Fault = spec.parse()?;
        self.app.world(|world| {
            let record = Record::Fault { spec: spec.to_owned(), what: "added".to_owned() };
            let now = world.now();
            world.ledger.note(now, record);
            if world.faults.add(fault) {
                world.rotate_logs();
            }
        });
        Ok(())
    }

    /// The faults that wait.
    #[must_use]
    pub fn faults(self) -> Vec<FaultInfo> {
        self.app.world(|w| w.faults.list())
    }

    /// Removes all faults.
    pub fn clear_faults(self) {
        let _: Done = self.act("faults cleared".to_owned(), |w| {
            w.faults.clear();
            Ok(())
        });
    }

    /// A node: `offline`, `online`, `reboot`, `power-off`, `daemon-down`, `daemon-up`.
    pub fn node(self, name: &str, what: &str) -> Done {
        self.act(format!("node {name} {what}"), |world| {
            let node =
                world.node_named(name, usize::MAX).ok_or_else(|| ControlError::NoNode(name.to_owned()))?;
            match what {
                "offline" => world.set_online(node, false),
                "online" => world.set_online(node, true),
                // A server takes its time to come back.
                "reboot" => world.node_down(node, Some(30_000)),
                "power-off" => world.node_down(node, None),
                "daemon-down" | "daemon-up" => world.set_daemon(node, what == "daemon-up"),
                other => return Err(ControlError::Bad(format!("a node cannot '{other}'"))),
            }
            Ok(())
        })
    }

    /// Adds a container, or replaces the one of that number by another incarnation.
    pub fn add_container(self, spec: &CtSpec) -> Done {
        self.act(format!("container {} added", spec.vmid), |w| w.populate(spec).map_err(ControlError::Bad))
    }

    /// Removes a container without a task.
    pub fn remove_container(self, vmid: u32) -> Done {
        self.act(format!("container {vmid} removed"), |world| {
            world.remove(vmid).ok_or(ControlError::NoContainer(vmid))?;
            world.effect(vmid, "destroyed", "control");
            Ok(())
        })
    }

    /// Somebody deletes the images that have this in their names.
    pub fn remove_images(self, part: &str) -> Done {
        self.act(format!("images with {part} removed"), |world| {
            let before = world.templates.len();
            world.templates.retain(|image| !image.volid.contains(part));
            if world.templates.len() == before {
                return Err(ControlError::Bad(format!("no image has '{part}'")));
            }
            Ok(())
        })
    }

    /// Changes a container.
    pub fn change_container(self, vmid: u32, change: &CtChange) -> Done {
        self.act(format!("container {vmid} changed"), |world| {
            let ct = world.container_mut(vmid).ok_or(ControlError::NoContainer(vmid))?;
            let behaviour = &mut ct.behaviour;
            behaviour.stubborn = change.stubborn.unwrap_or(behaviour.stubborn);
            behaviour.warns = change.warns.unwrap_or(behaviour.warns);
            behaviour.fails_start = change.fails_start.unwrap_or(behaviour.fails_start);
            behaviour.start_ms = change.start_seconds.map(|s| (s * 1000.0) as u64).or(behaviour.start_ms);
            if let Some(ha) = &change.ha {
                ct.ha = (!ha.is_empty()).then(|| Ha::new(ha));
            }
            let lock = change.lock.iter().map(|lock| ("lock", lock));
            for (key, value) in change.config.iter().map(|(k, v)| (k.as_str(), v)).chain(lock) {
                if value.is_empty() { ct.config.remove(key) } else { ct.config.set(key, value) }
            }
            if let Some(name) = &change.node {
                let node =
                    world.node_named(name, usize::MAX).ok_or_else(|| ControlError::NoNode(name.clone()))?;
                world.relocate(vmid, node, "control");
            }
            if let Some(name) = &change.relocate {
                let node =
                    world.node_named(name, usize::MAX).ok_or_else(|| ControlError::NoNode(name.clone()))?;
                world.ha_move(vmid, "relocate", node);
            }
            match change.running {
                Some(true) => world.power_on_inside(vmid),
                Some(false) => world.power_off_inside(vmid),
                None => {}
            }
            Ok(())
        })
    }

    /// Somebody else does something: `start`, `stop`, `shutdown`, `delete`. The UPID of their task.
    pub fn foreign(self, verb: &str, vmid: u32, user: &str) -> Result<String, ControlError> {
        let (kind, work) = match verb {
            "start" => ("vzstart", Work::Start { debug: false }),
            "stop" => ("vzstop", Work::Stop { overrule: false }),
            "shutdown" => ("vzshutdown", Work::Shutdown { timeout: 60, force: false }),
            "delete" => ("vzdestroy", Work::Destroy { force: true, purge: true }),
            other => return Err(ControlError::Bad(format!("'{other}' is no verb"))),
        };
        let mut upid = String::new();
        self.act(format!("{user} does {verb} on {vmid}"), |world| {
            let node = world.container(vmid).ok_or(ControlError::NoContainer(vmid))?.node;
            let task = world.spawn(node, kind, &vmid.to_string(), &Identity::from_auth_id(user), work);
            upid = world.tasks.get(task).map(|t| t.upid.clone()).unwrap_or_default();
            Ok(())
        })?;
        Ok(upid)
    }

    /// Kills a worker: its task ends as `unexpected status`, and whatever it held or locked stays as it is.
    pub fn kill_task(self, upid: &str) -> Done {
        self.act(format!("{upid} killed"), |world| {
            let task = world.tasks.find(upid);
            let task = task.ok_or_else(|| ControlError::Bad(format!("no task '{upid}'")))?;
            world.kill(task);
            Ok(())
        })
    }

    /// Changes users, tokens or who has which role.
    pub fn access(self, what: &str, change: impl FnOnce(&mut Access)) {
        let _: Done = self.act(format!("access: {what}"), |w| {
            change(&mut w.access);
            Ok(())
        });
    }

    /// Lets the nodes' clocks differ from the caller's.
    pub fn set_skew(self, seconds: i64) {
        let _: Done = self.act(format!("clock skew {seconds} s"), |w| {
            w.wall.set_skew(seconds);
            Ok(())
        });
    }
}
