//! What is done while lxcd does not run: upgrading the database, rotating the key. Owns their order, so
//! that stopping anywhere in between leaves everything readable.

use std::path::PathBuf;

use lxc_core::error::Result;

use crate::app::{open_keyring, open_store};
use crate::config::Config;
use crate::keyring::{KeyFile, Place};
use crate::service::store_error;
use crate::state_dir::StateDir;

/// Brings the schema up to date.
///
/// # Errors
/// When another lxcd runs here, or the database cannot be upgraded.
pub async fn upgrade(config: &Config) -> Result<()> {
    let state = StateDir::take(&config.state_dir)?;
    let store = open_store(config, &state).await?;
    say(&format!("the {} database is up to date", store.dialect().name()));
    store.close().await;
    Ok(())
}

/// Makes a new key, seals every secret with it, and drops the old one: first both keys are in the file,
/// then every row is sealed anew, then the old key goes.
///
/// # Errors
/// When another lxcd runs here, or the key file or the database cannot be written.
pub async fn rotate_key(config: &Config) -> Result<()> {
    let state = StateDir::take(&config.state_dir)?;
    let store = open_store(config, &state).await?;
    let old = open_keyring(&store, &state).await?;
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let file = KeyFile::locate(state.path(), credentials.as_deref());
    let both = old.rotated()?;
    file.replace(&both)?;
    let mut count = 0;
    for mut remote in store.remotes().await.map_err(store_error)? {
        let place = Place { table: "remote", row: &remote.installation.0, column: "token_secret" };
        if let Some(sealed) = both.reseal(place, &remote.token_secret)? {
            remote.token_secret = sealed;
            store.put_remote(&remote.name, &remote, None).await.map_err(store_error)?;
            count += 1;
        }
    }
    store.set_meta("keyring_check", &both.check_value()?).await.map_err(store_error)?;
    file.replace(&both.without_old())?;
    say(&format!("{count} secrets are sealed with the new key {}; the old one is gone", both.active_id()));
    store.close().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the answer of this command")]
fn say(text: &str) {
    println!("{text}");
}
