//! What `lxcd` does besides running: upgrading, pruning and exporting the database, rotating the key. Owns their
//! order, so that stopping anywhere in between leaves everything readable.

use std::io::Write;
use std::path::PathBuf;

use lxc_core::error::{Code, Error, Result};
use lxc_core::ports::Clock;
use secrecy::ExposeSecret;

use crate::app::{database_file, hosts, open_keyring, open_store};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::janitor::cutoffs;
use crate::keyring::{CHECK_ROW, KeyFile, Place};
use crate::service::registry::{login_place, ssh_place};
use crate::service::store_error;
use crate::state_dir::StateDir;
use crate::store::{Part, Store};

/// Brings the schema up to date. On Postgres others go on meanwhile, and hand over if they are too old for it; on
/// SQLite nobody else may run.
///
/// # Errors
/// When another lxcd has the SQLite database open, or the database cannot be upgraded.
pub async fn upgrade(config: &Config) -> Result<()> {
    let store = match &config.database {
        Some(url) => {
            let (store, before) = Store::upgrade_postgres(url.expose_secret()).await?;
            match (before, store.schema()) {
                (before, now) if before == now => say("the postgres database is up to date"),
                (0, now) => say(&format!("the postgres database was empty and has schema {now} now")),
                (before, now) => say(&format!("the postgres database had schema {before} and has {now} now")),
            }
            store
        }
        None => {
            let store = open_store(config, &StateDir::take(&config.state_dir)?).await?;
            say("the sqlite database is up to date");
            store
        }
    };
    store.close().await;
    Ok(())
}

/// Removes what is older than its retention, or says what that would be. A running lxcd goes on meanwhile.
///
/// # Errors
/// When the database cannot be read or written.
pub async fn prune(config: &Config, dry_run: bool) -> Result<()> {
    let store = attach(config).await?;
    let cutoffs = cutoffs(&config.retention, SystemClock.now());
    let pruned = if dry_run { store.would_prune(&cutoffs).await } else { store.prune(&cutoffs).await }
        .map_err(store_error)?;
    store.close().await;
    let counted = |name: &str, rows: u64| format!("{rows} {name}{}", if rows == 1 { "" } else { "s" });
    let some = pruned.into_iter().filter(|(_, rows)| *rows > 0);
    let some: Vec<String> = some.map(|(name, rows)| counted(name, rows)).collect();
    let verb = if dry_run { "would remove" } else { "removed" };
    match some.is_empty() {
        true => say(&format!("{verb} nothing: everything is within its retention")),
        false => say(&format!("{verb} {}", some.join(", "))),
    }
    Ok(())
}

/// Writes operations, events and the audit as JSON lines, a page at a time. A running lxcd goes on meanwhile.
///
/// # Errors
/// When the database cannot be read, or nobody reads on before all is written.
pub async fn export(config: &Config) -> Result<()> {
    let store = attach(config).await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for part in Part::ALL {
        let mut after = None;
        loop {
            let (objects, next) = store.export(part, after.as_deref()).await.map_err(store_error)?;
            for object in objects {
                writeln!(out, "{object}").map_err(cannot_print)?;
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    out.flush().map_err(cannot_print)?;
    store.close().await;
    Ok(())
}

fn cannot_print(error: std::io::Error) -> Error {
    Error::new(Code::Internal, "cannot write to stdout").because(error.to_string())
}

/// The database as it is, beside a running lxcd.
async fn attach(config: &Config) -> Result<Store> {
    match &config.database {
        Some(url) => Store::open_postgres(url.expose_secret()).await,
        None => Store::attach_sqlite(&database_file(&config.state_dir)).await,
    }
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
        let place = ssh_place(&remote.installation);
        let sealed = remote.ssh.as_ref().and_then(|ssh| ssh.secret.as_ref());
        if let Some(sealed) = sealed.map(|sealed| both.reseal(place, sealed)).transpose()?.flatten() {
            remote.ssh.iter_mut().for_each(|ssh| ssh.secret = Some(sealed.clone()));
            store.put_remote(&remote.name, &remote, None).await.map_err(store_error)?;
            count += 1;
        }
    }
    for mut login in store.logins().await.map_err(store_error)? {
        if let Some(sealed) = both.reseal(login_place(&login.row()), &login.secret)? {
            login.secret = sealed;
            store.put_login(&login, None).await.map_err(store_error)?;
            count += 1;
        }
    }
    store.set_meta(CHECK_ROW, &both.check_value()?).await.map_err(store_error)?;
    file.replace(&both.without_old())?;
    say(&format!("{count} secrets are sealed with the new key {}; the old one is gone", both.active_id()));
    let others = hosts(&store).await?;
    if !others.is_empty() {
        let path = file.path().display();
        say(&format!(
            "lxcd works on this database elsewhere too, and lacks the new key: {}",
            others.join(", ")
        ));
        say(&format!("copy {path} there (scp -p, mode 0600) and start lxcd again on each"));
    }
    store.close().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the answer of this command")]
fn say(text: &str) {
    println!("{text}");
}
