//! The acts: look, dispatch, list, follow, stop. Each does one thing and notes what it learned as a fact;
//! none decides what it means. False = this driver is done here.

use std::sync::Arc;

use lxc_core::ids::{Micros, Vmid};
use lxc_core::op::{Change, Dispatch, Reply};
use lxc_core::ports::{PveApi, PveError, StoreError};
use lxc_core::pve::{Call, Upid};
use lxc_core::timing::micros;

use super::courtesy;
use super::driver::{Driver, Written};
use super::follow::{Followed, Span};
use super::lease::Permit;
use super::observe::{Blind, Sight, observe, search};
use crate::failpoint;

/// How many numbers are tried at once when one is taken.
const NUMBERS: Vmid = 200;

impl Driver {
    /// Reads the live state where the container lives now.
    pub(super) async fn look(&mut self, api: Arc<dyn PveApi>, config: bool, ha: bool) -> bool {
        // Before the state is looked at, as every lock; what was sent once goes on whoever holds it.
        if !self.op.touched() {
            self.facts.held = courtesy::take(&self.inner, &self.op).await;
        }
        match observe(&*api, &*self.inner.parts.store, &self.op, Sight { config, ha }).await {
            Ok(seen) => self.facts.seen = Some(seen),
            Err(Blind::Proxmox(trouble)) => {
                let node = self.op.target.node.clone();
                self.in_trouble(&node, trouble);
            }
            Err(Blind::Record(error)) => return self.store_fails(&error).await,
        }
        true
    }

    /// Looks whether the OS image is on its storage.
    pub(super) async fn look_for_image(
        &mut self,
        api: Arc<dyn PveApi>,
        node: String,
        storage: String,
        volume: String,
    ) -> bool {
        // As before a look at the container: from here on it is worked for.
        if !self.op.touched() {
            self.facts.held = courtesy::take(&self.inner, &self.op).await;
        }
        match api.images(&node, &storage).await {
            Ok(images) => self.facts.image = Some(images.contains(&volume)),
            Err(trouble) => self.in_trouble(&node, trouble),
        }
        true
    }

    /// Looks for the container on every node but the silent one; what troubles us stays as it is.
    pub(super) async fn search(&mut self, api: Arc<dyn PveApi>, silent: String) -> bool {
        self.facts.found = Some(search(&*api, &*self.inner.parts.store, &self.op, &silent).await);
        self.facts.now = self.now();
        true
    }

    /// What we have recorded cannot be read. That says nothing about Proxmox: try again until it can.
    pub(super) async fn store_fails(&mut self, error: &StoreError) -> bool {
        tracing::error!(op = %self.op.id, %error, "cannot read what is recorded; trying again");
        let until = self.now().saturating_add(micros(self.inner.parts.timing.look));
        self.wait_until(until).await
    }

    /// Proxmox could not be asked. A node that is away is news for the listing too, before its next poll.
    fn in_trouble(&mut self, node: &str, trouble: PveError) {
        if let PveError::NotDelivered(why) = &trouble {
            self.inner.parts.bus.node_silent(&self.op.target.installation, node, why);
        }
        self.facts.trouble = Some(trouble);
    }

    /// Records, sends once, notes the answer (ARCHITECTURE.md, rule 7).
    pub(super) async fn dispatch(
        &mut self,
        api: Arc<dyn PveApi>,
        step: usize,
        call: Call,
        node: String,
        ha: bool,
    ) -> bool {
        if self.inner.draining.is_cancelled() {
            return false;
        }
        let baseline = match api.baseline(&node, self.op.target.vmid, &call).await {
            Ok(baseline) => baseline,
            Err(trouble) => {
                self.in_trouble(&node, trouble);
                return true;
            }
        };
        self.facts.now = self.now();
        let dispatch = Dispatch {
            call: call.clone(),
            node: node.clone(),
            identity: api.identity().to_owned(),
            newest_start: baseline.newest_start,
            baseline: baseline.upids,
            at: self.facts.now,
            ha,
        };
        let permit = self.permit();
        if permit.is_none() {
            // Whoever claims it meanwhile fences this driver out; if nobody does, it goes on.
            tracing::warn!(op = %self.op.id, "the lease is about to end; not sending before it is renewed");
            let until = self.now().saturating_add(micros(self.inner.parts.timing.heartbeat));
            return self.wait_until(until).await;
        }
        if self.commit(Change::Dispatching(step, dispatch)).await == Written::Over {
            return false;
        }
        // The commit may have had to wait for its disk: the same lease must still hold when the call leaves.
        // Not sent for sure, which is written down under the fence like everything else.
        if self.permit() != permit {
            self.facts.reply = Some(Reply::Held);
            return true;
        }
        failpoint::hit("sent", "before").await;
        let answer = api.dispatch(&node, self.op.target.vmid, &call).await;
        failpoint::hit("sent", "after").await;
        self.facts.reply = Some(match answer {
            Ok(upid) => Reply::Accepted(upid),
            Err(error) => Reply::Error(error),
        });
        true
    }

    pub(super) fn permit(&self) -> Option<Permit> {
        let parts = &self.inner.parts;
        parts.lease.permit(&*parts.clock, &parts.timing)
    }

    /// Lists the tasks that may be the call's, for adoption.
    pub(super) async fn list(&mut self, api: Arc<dyn PveApi>, node: String, call: Call) -> bool {
        match self.inner.parts.store.taken_upids(&self.op).await {
            Ok(taken) => self.facts.taken = taken,
            Err(error) => return self.store_fails(&error).await,
        }
        match api.tasks_of(&node, self.op.target.vmid, &call).await {
            Ok(listed) => self.facts.listed = Some(listed),
            Err(trouble) => self.in_trouble(&node, trouble),
        }
        !self.inner.draining.is_cancelled()
    }

    /// Follows the task until it ends, the time comes or somebody wishes something.
    pub(super) async fn follow(
        &mut self,
        api: Arc<dyn PveApi>,
        upid: Upid,
        until: Option<Micros>,
        since: Micros,
        log_next: u64,
    ) -> bool {
        let inner = self.inner.clone();
        let installation = self.op.target.installation.clone();
        let clock = &*inner.parts.clock;
        let span = Span {
            elapsed: self.timeline.since(since, clock),
            left: until.map(|until| self.timeline.until(until, clock)),
            // Somebody has to say that the node answers again, long before the task ends.
            once: self.op.degraded_since.is_some(),
            log_next,
        };
        let following = inner.follower.follow(&*api, &installation, &upid, span);
        tokio::select! {
            followed = following => match followed {
                Followed::Ended(exit, log) => self.facts.ended = Some((exit, log)),
                Followed::Log(page) => self.facts.log = Some(page),
                Followed::Until => {}
                Followed::Answered => self.facts.answered = true,
                Followed::Trouble(trouble) => self.in_trouble(&upid.node, trouble),
            },
            () = self.nudge.notified() => self.read_wishes().await,
            () = inner.draining.cancelled() => return false,
        }
        true
    }

    /// Holds the first number above one that neither Proxmox nor we have given to anybody.
    pub(super) async fn take_vmid(&mut self, api: Arc<dyn PveApi>, above: Vmid) -> bool {
        let store = self.inner.parts.store.clone();
        for vmid in above.saturating_add(1)..=above.saturating_add(NUMBERS) {
            match api.vmid_free(vmid).await {
                Ok(true) => {}
                Ok(false) => continue,
                Err(trouble) => {
                    self.facts.trouble = Some(trouble);
                    return true;
                }
            }
            match store.hold_vmid(&self.op, vmid, self.now()).await {
                Ok(true) => {
                    self.facts.free_vmid = Some(vmid);
                    return true;
                }
                Ok(false) => {}
                Err(error) => return self.store_fails(&error).await,
            }
        }
        let why = format!("there is no free number from {above} to {}", above.saturating_add(NUMBERS));
        self.facts.trouble = Some(PveError::Garbage(why));
        true
    }

    /// Asks Proxmox to abort the task. It may have ended by itself meanwhile: following it tells.
    pub(super) async fn stop_task(&mut self, api: Arc<dyn PveApi>, step: usize, upid: Upid) -> bool {
        if let Err(trouble) = api.stop_task(&upid).await {
            tracing::warn!(op = %self.op.id, %trouble, "cannot abort the task");
            if trouble.passes() {
                self.facts.trouble = Some(trouble);
                return true;
            }
        }
        self.facts.now = self.now();
        self.commit(Change::StopRequested(step)).await == Written::Yes
    }
}
