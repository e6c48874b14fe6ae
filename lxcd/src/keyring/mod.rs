//! The keys behind every secret in the database: AES-256-GCM, each ciphertext naming its key and bound
//! to its table, row and column. Owns the key file and the sealed form; must not know the database: it
//! is handed strings and hands back strings.
//!
//! Start-up: [`KeyFile::open`] with the check value the database holds. Rotation: write
//! [`Keyring::rotated`], [`Keyring::reseal`] every column, store a new [`Keyring::check_value`], then
//! write [`Keyring::without_old`]. Stopping anywhere in between leaves everything readable.

mod file;
mod key;
mod seal;

pub use file::KeyFile;
pub use key::Keyring;
pub use seal::Place;

use std::path::Path;

use lxc_core::error::Error;
use lxc_core::selector::quote;

/// The row of `meta` that tells whether the keys are the right ones.
pub const CHECK_ROW: &str = "keyring_check";

/// Adds how to bring the keys of a database here: from a host whose lxcd works with it, where one is known.
#[must_use]
pub fn bring(error: Error, host: Option<&str>, path: &Path) -> Error {
    let path = quote(&path.display().to_string());
    match host {
        Some(host) => {
            error.because(format!("lxcd on {host} works with this database and has them")).hint_noted(
                format!("scp -p {}:{path} {path}", quote(host)),
                "then start lxcd again; its mode stays 0600",
            )
        }
        None => error.hint_noted(
            "lxcctl explain LXC0511",
            format!("says how to bring {path} back, from a copy or from another host"),
        ),
    }
}
