//! Remotes that other daemons add, change or remove. Owns taking them over; must not write.

use crate::service::Services;

impl Services {
    /// Takes over what other daemons do to remotes, for as long as it is polled.
    pub async fn follow_remotes(&self) {
        let mut moved = self.bus.remotes();
        while moved.changed().await.is_ok() {
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
