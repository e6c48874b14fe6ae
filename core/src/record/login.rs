//! Personal tokens on shared remotes. The secret is a ciphertext here; opening it is the keyring's.

use crate::ids::{Installation, Micros};

use super::Owner;

/// A person's own token on a remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Where it is good.
    pub installation: Installation,
    /// Whose it is.
    pub person: Owner,
    /// Their name, for people.
    pub name: String,
    /// `user@realm!token`
    pub token_id: String,
    /// Ciphertext.
    pub secret: String,
    /// Since when.
    pub created: Micros,
}

impl Login {
    /// Its row, as ciphertexts are bound to it.
    #[must_use]
    pub fn row(&self) -> String {
        format!("{}/{}/{}", self.installation, self.person.domain, self.person.uid)
    }
}
