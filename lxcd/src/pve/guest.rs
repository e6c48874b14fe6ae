//! One row about one guest, as `/nodes/N/lxc`, `status/current` and `/cluster/resources` have it with
//! small differences. Owns its reading into core's terms; pure.

use lxc_core::ids::Vmid;
use lxc_core::pve::{Ha, Live, Power, Resource, Usage};
use serde::Deserialize;

use super::scalar::{Scalar, tags};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HaRow {
    managed: Scalar,
    state: Scalar,
}

/// Every field any of the three has; each row has only some. Flat on purpose: serde would copy a
/// flattened row twice, and there may be 10,000.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Guest {
    r#type: Scalar,
    vmid: Scalar,
    node: Scalar,
    name: Scalar,
    status: Scalar,
    lock: Scalar,
    template: Scalar,
    tags: Scalar,
    pool: Scalar,
    hastate: Scalar,
    ha: Option<HaRow>,
    cpu: Scalar,
    /// In rows about containers …
    cpus: Scalar,
    /// … and the same in `/cluster/resources`.
    maxcpu: Scalar,
    mem: Scalar,
    maxmem: Scalar,
    swap: Scalar,
    maxswap: Scalar,
    disk: Scalar,
    maxdisk: Scalar,
    netin: Scalar,
    netout: Scalar,
    uptime: Scalar,
}

impl Guest {
    /// None when it does not say of whom it speaks, or in which state that is: better no answer than
    /// a container that seems stopped. `vmid` is whose answer it is, when only one was asked about.
    pub(super) fn live(self, vmid: Option<Vmid>) -> Option<Live> {
        let power = self.power()?;
        let usage = self.usage(Some(power));
        let ha = self.ha.filter(|ha| ha.managed.flag());
        Some(Live {
            vmid: self.vmid.vmid().or(vmid)?,
            name: self.name.word(),
            power,
            lock: self.lock.word(),
            template: self.template.flag(),
            ha: ha.map(|ha| Ha { state: ha.state.text().unwrap_or_default() }),
            tags: tags(self.tags),
            usage,
        })
    }

    /// None without a number or a node, or when it does not say what it is: a container taken for a
    /// virtual machine would look deleted.
    pub(super) fn resource(self) -> Option<Resource> {
        let power = self.power();
        let usage = self.usage(power);
        let is_vm = match self.r#type.text()?.as_str() {
            "lxc" => false,
            "qemu" => true,
            _ => return None,
        };
        Some(Resource {
            vmid: self.vmid.vmid()?,
            node: self.node.word()?,
            is_vm,
            name: self.name.word(),
            power,
            lock: self.lock.word(),
            tags: tags(self.tags),
            pool: self.pool.word(),
            ha_state: self.hastate.word(),
            template: self.template.flag(),
            usage,
        })
    }

    /// Its number, if it has one.
    pub(super) fn number(&self) -> Option<Vmid> {
        self.vmid.vmid()
    }

    fn power(&self) -> Option<Power> {
        match &self.status {
            Scalar::Text(text) if text == "running" => Some(Power::Running),
            Scalar::Text(text) if text == "stopped" => Some(Power::Stopped),
            _ => None,
        }
    }

    /// What is used is only true of a running one; Proxmox writes zeros otherwise.
    fn usage(&self, power: Option<Power>) -> Usage {
        let running = power == Some(Power::Running);
        let used = |value: &Scalar| if running { value.amount() } else { None };
        Usage {
            cpu: if running { self.cpu.float().map(|cpu| cpu.max(0.0)) } else { None },
            cpus: self.cpus.float().or_else(|| self.maxcpu.float()),
            memory: used(&self.mem),
            memory_max: self.maxmem.amount(),
            swap: used(&self.swap),
            swap_max: self.maxswap.amount(),
            disk: used(&self.disk),
            disk_max: self.maxdisk.amount(),
            net_in: used(&self.netin),
            net_out: used(&self.netout),
            uptime: used(&self.uptime),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(json: &str) -> Guest {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn reads_every_spelling_of_a_container() {
        let live = guest(
            r#"{"vmid":"104","status":"running","name":"web-1","cpu":-0.0006,"cpus":"0.5","mem":"1024","maxmem":2048,
                "template":"","tags":"Web;a","lock":"","ha":{"managed":"1","state":"started"},"uptime":76,"new":[{}]}"#,
        )
        .live(None)
        .unwrap();
        assert_eq!((live.vmid, live.power, live.template, live.lock), (104, Power::Running, false, None));
        assert_eq!((live.usage.cpu, live.usage.cpus, live.usage.memory), (Some(0.0), Some(0.5), Some(1024)));
        assert_eq!((live.ha.unwrap().state.as_str(), live.tags), ("started", vec!["a".into(), "web".into()]));

        let stopped = guest(r#"{"vmid":1,"status":"stopped","mem":0,"maxmem":512}"#).live(None).unwrap();
        assert_eq!((stopped.usage.memory, stopped.usage.memory_max), (None, Some(512)));
        assert!(guest(r#"{"vmid":104,"status":"paused"}"#).live(None).is_none());
        assert!(guest(r#"{"status":"running"}"#).live(None).is_none());
    }

    #[test]
    fn a_new_guest_has_no_sample_yet() {
        let new = guest(r#"{"type":"lxc","node":"pve1","vmid":104,"id":"lxc/104","status":"unknown"}"#);
        let new = new.resource().unwrap();
        assert_eq!((new.power, new.is_vm, new.usage), (None, false, Usage::default()));
        assert!(guest(r#"{"type":"qemu","node":"pve1","vmid":100}"#).resource().unwrap().is_vm);
        assert!(guest(r#"{"type":3,"node":"pve1","vmid":104}"#).resource().is_none());
        assert!(guest(r#"{"node":"pve1","vmid":104}"#).resource().is_none());
    }
}
