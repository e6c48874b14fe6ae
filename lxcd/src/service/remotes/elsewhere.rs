//! Remotes that other daemons add, change or remove. Owns taking them over; must not write.

use crate::service::Services;

impl Services {
    /// Takes over what other daemons do to remotes, for as long as it is polled.
    pub async fn follow_remotes(&self) {
        let mut moved = self.bus.remotes();
        loop {
            tokio::select! {
                changed = moved.changed() => if changed.is_err() { return },
                // Nobody tells of a new key: it is made while that lxcd does not run.
                () = self.clock.sleep(self.timing.heartbeat) => {
                    // What is wrong is logged once, and told by `daemon status`.
                    let _ = self.registry.check_key().await;
                    continue;
                }
            }
            match self.registry.reload().await {
                Ok((gone, moved)) => {
                    for name in gone {
                        self.inventory.drop_remote(&name);
                    }
                    for remote in moved {
                        self.inventory.meet_remote(&remote.row, remote.client.clone()).await;
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot read the remotes again"),
            }
        }
    }
}
