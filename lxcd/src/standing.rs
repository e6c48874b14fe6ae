//! What this run is to the others: how many share the room at the nodes, and whether it is to hand over. Owns the
//! order of handing over; who is asked to is the database's to say.

use std::sync::Arc;

use lxc_core::ids::DaemonId;
use lxc_core::ports::Clock;
use lxc_core::timing::Timing;
use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::engine::Engine;
use crate::inventory::Inventory;
use crate::pve::Share;
use crate::store::Store;

/// What it takes.
pub struct Standing {
    /// The database.
    pub store: Store,
    /// Wake-ups.
    pub bus: Arc<Bus>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Time constants.
    pub timing: Timing,
    /// What is handed over.
    pub engine: Engine,
    /// The polling too.
    pub inventory: Arc<Inventory>,
    /// The room at the nodes.
    pub share: Share,
    /// This run.
    pub me: DaemonId,
}

impl Standing {
    /// Looks with every heartbeat, and when somebody is asked to hand over, until stopped.
    pub async fn keep(self, stop: CancellationToken) {
        let mut drains = self.bus.drains();
        loop {
            drains.mark_unchanged();
            let look = async {
                match self.store.standing(self.me, self.clock.now()).await {
                    Ok(standing) => {
                        self.share.among(standing.alive);
                        if let Some(why) = standing.handover() {
                            self.hand_over(&why).await;
                        }
                    }
                    Err(error) => tracing::warn!(%error, "cannot look how this lxcd stands among the others"),
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = look => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.clock.sleep(self.timing.heartbeat) => {}
                // The bus outlives this.
                _ = drains.changed() => {}
            }
        }
    }

    /// Once: first the polling, then operations as they reach a boundary. What is ours in the database can be
    /// claimed by others only when nothing is driven here any more.
    async fn hand_over(&self, why: &str) {
        if !self.engine.hand_over(why) {
            return;
        }
        tracing::warn!(why, "handing over; questions are still answered");
        let told = async {
            self.inventory.hand_over().await;
            // One that does so by itself says so to the others.
            self.store.ask_drain(self.me, self.clock.now(), None).await?;
            self.engine.at_rest().await;
            self.store.drained(self.me, self.clock.now()).await
        };
        if let Err(error) = told.await {
            tracing::warn!(%error, "cannot say that everything is handed over; trying again");
            self.engine.hand_over_again();
            return;
        }
        self.bus.queue_moved();
        tracing::info!("everything is handed over");
    }
}
