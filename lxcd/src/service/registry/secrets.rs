//! The secrets of remotes, and the key they are sealed with. Owns what a ciphertext is bound to; the key itself is the
//! keyring's.

use lxc_core::error::{Error, Result};
use lxc_core::record::RemoteRecord;
use secrecy::SecretString;

use super::super::store_error;
use super::Registry;
use crate::keyring::{CHECK_ROW, Place};

impl Registry {
    /// The secret of a stored remote.
    ///
    /// # Errors
    /// LXC0511 when the keys do not open it.
    pub fn secret(&self, row: &RemoteRecord) -> Result<SecretString> {
        self.keyring.open(place(row), &row.token_secret)
    }

    /// Seals a secret for a row; the row's installation is bound in, so a ciphertext cannot be moved.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn seal(&self, row: &RemoteRecord, secret: &SecretString) -> Result<String> {
        self.keyring.seal(place(row), secret)
    }

    /// Looks whether another lxcd has changed the key of the database meanwhile. Then nothing may be sealed
    /// with ours any more: nobody else could open it.
    ///
    /// # Errors
    /// LXC0511 with the way to the new key; or when the store fails.
    pub async fn check_key(&self) -> Result<()> {
        let check = self.store.meta(CHECK_ROW).await.map_err(store_error)?;
        let verified = check.map_or(Ok(()), |check| self.keyring.verify(&check));
        let stale = verified.err().map(|error| {
            error
                .because("the key was changed on another host; this lxcd still has the one before")
                .hint_noted(
                    "lxcctl explain LXC0511",
                    "says how to bring the new keyring here; then restart lxcd",
                )
        });
        if stale.is_some() && self.stale.read().is_none() {
            tracing::error!(
                "the key of the database was changed elsewhere: bring the new keyring here, restart lxcd"
            );
        }
        self.stale.write().clone_from(&stale);
        stale.map_or(Ok(()), Err)
    }

    /// Why our keys are not the database's any more, as it was last seen.
    #[must_use]
    pub fn stale_key(&self) -> Option<Error> {
        self.stale.read().clone()
    }
}

fn place(row: &RemoteRecord) -> Place<'_> {
    Place { table: "remote", row: &row.installation.0, column: "token_secret" }
}
