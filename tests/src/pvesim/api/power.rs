//! The power verbs: what is checked before a worker is started.

use super::{Answer, Call};
use crate::pvesim::model::{Work, World};
use crate::pvesim::reply::{Refusal, Reply};

/// Starts a worker and answers its UPID.
pub(super) fn spawn(world: &mut World, call: &Call<'_>, kind: &str, id: &str, work: Work) -> Answer {
    let task = world.spawn(call.node, kind, id, &call.who, work);
    Ok(Reply::data(world.tasks.get(task).map_or("", |t| t.upid.as_str())))
}

fn running(world: &World, call: &Call<'_>) -> bool {
    world.container_on(call.node, call.params.vmid()).is_some_and(|ct| ct.running())
}

/// HA knows its services by number, wherever they are.
fn managed(world: &World, call: &Call<'_>) -> bool {
    world.container(call.params.vmid()).is_some_and(|ct| ct.ha_managed())
}

fn skiplock(call: &Call<'_>) -> Result<(), Refusal> {
    if call.params.flag("skiplock") && !call.who.is_root() {
        return Err(Refusal::parameter("skiplock", "Only root may use this option."));
    }
    Ok(())
}

pub(super) fn start(world: &mut World, call: &Call<'_>) -> Answer {
    skiplock(call)?;
    let vmid = call.params.text("vmid").to_owned();
    if running(world, call) {
        return Err(Refusal::failed(format!("CT {vmid} already running")));
    }
    if managed(world, call) {
        return spawn(world, call, "hastart", &vmid, Work::HaRequest { state: "started", timeout: 0 });
    }
    spawn(world, call, "vzstart", &vmid, Work::Start { debug: call.params.flag("debug") })
}

pub(super) fn stop(world: &mut World, call: &Call<'_>) -> Answer {
    skiplock(call)?;
    let vmid = call.params.text("vmid").to_owned();
    if !running(world, call) {
        return Err(Refusal::failed(format!("CT {vmid} not running")));
    }
    let overrule = call.params.flag("overrule-shutdown");
    if managed(world, call) {
        if overrule {
            return Err(Refusal::parameter("overrule-shutdown", "Not applicable for HA resources."));
        }
        return spawn(world, call, "hastop", &vmid, Work::HaRequest { state: "stopped", timeout: 0 });
    }
    spawn(world, call, "vzstop", &vmid, Work::Stop { overrule })
}

pub(super) fn shutdown(world: &mut World, call: &Call<'_>) -> Answer {
    let vmid = call.params.text("vmid").to_owned();
    if !running(world, call) {
        return Err(Refusal::failed(format!("CT {vmid} not running")));
    }
    let timeout = call.params.number("timeout").unwrap_or(60).unsigned_abs();
    if managed(world, call) {
        return spawn(world, call, "hastop", &vmid, Work::HaRequest { state: "stopped", timeout });
    }
    spawn(world, call, "vzshutdown", &vmid, Work::Shutdown { timeout, force: call.params.flag("forceStop") })
}

pub(super) fn reboot(world: &mut World, call: &Call<'_>) -> Answer {
    let vmid = call.params.text("vmid").to_owned();
    if !running(world, call) {
        // Not a slip here: Proxmox says VM in this one place.
        return Err(Refusal::failed(format!("VM {vmid} not running")));
    }
    // Reboot goes past HA.
    let timeout = call.params.number("timeout").unwrap_or(60).unsigned_abs();
    spawn(world, call, "vzreboot", &vmid, Work::Reboot { timeout })
}
