//! From the kernel's word about a connection to an [`Actor`]. Owns the cache of users and groups; must
//! not decide what they may do (`access`).

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use lxc_core::actor::Actor;
use parking_lot::Mutex;

use super::accounts::{Account, Accounts, System};
use super::process::Process;

/// How long a user's name and groups are believed. Who is put into a group waits this long; who is
/// taken out of one keeps it this long.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Users remembered at a time; beyond that, the oldest answers go.
const MOST: usize = 1024;

/// `SO_PEERCRED`, taken when the connection was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credentials {
    /// Effective uid.
    pub uid: u32,
    /// Effective gid.
    pub gid: u32,
    /// Process id; None when the kernel does not say.
    pub pid: Option<u32>,
}

impl From<&tokio::net::unix::UCred> for Credentials {
    fn from(credentials: &tokio::net::unix::UCred) -> Self {
        let pid = credentials.pid().and_then(|pid| u32::try_from(pid).ok());
        Self { uid: credentials.uid(), gid: credentials.gid(), pid }
    }
}

/// Turns credentials into actors.
pub struct Peers {
    domain: String,
    proc: PathBuf,
    accounts: Box<dyn Accounts>,
    known: Mutex<HashMap<u32, (Instant, Option<Account>)>>,
}

impl Peers {
    /// With the system's own users. Without an identity domain it is the host name.
    #[must_use]
    pub fn new(domain: Option<String>) -> Self {
        let host = || nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned());
        let domain = domain.unwrap_or_else(|| host().unwrap_or_else(|_| "localhost".to_owned()));
        Self::with(domain, PathBuf::from("/proc"), Box::new(System))
    }

    /// With users and a `/proc` of the caller's.
    #[must_use]
    pub fn with(domain: String, proc: PathBuf, accounts: Box<dyn Accounts>) -> Self {
        Self { domain, proc, accounts, known: Mutex::default() }
    }

    /// Who that is, and the names of their groups. Asks NSS at most once a minute per user, which may
    /// block on a directory server: call it where blocking is allowed.
    #[must_use]
    pub fn identify(&self, credentials: Credentials, now: Instant) -> (Actor, Vec<String>) {
        let account = self.account(credentials.uid, now);
        let process = credentials.pid.map(|pid| Process::read(&self.proc, pid)).unwrap_or_default();
        let (name, groups) = match account {
            Some(account) => (account.name, account.groups),
            None => (format!("uid:{}", credentials.uid), Vec::new()),
        };
        let actor = Actor {
            name,
            uid: credentials.uid,
            domain: self.domain.clone(),
            pid: credentials.pid.unwrap_or(0),
            process: process.name,
            tty: process.tty,
            login_uid: process.login_uid,
            sudo_uid: process.sudo_uid,
        };
        (actor, groups)
    }

    fn account(&self, uid: u32, now: Instant) -> Option<Account> {
        let fresh = |at: &Instant| now.saturating_duration_since(*at) < REMEMBERED;
        if let Some((at, account)) = self.known.lock().get(&uid)
            && fresh(at)
        {
            return account.clone();
        }
        // Without the lock: one slow user must not hold up the others.
        let account = self.accounts.find(uid);
        let mut known = self.known.lock();
        if known.len() >= MOST {
            known.retain(|_, (at, _)| fresh(at));
        }
        if known.len() < MOST {
            known.insert(uid, (now, account.clone()));
        }
        account
    }
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers").field("domain", &self.domain).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    struct Fixed(Arc<AtomicUsize>);

    impl Accounts for Fixed {
        fn find(&self, uid: u32) -> Option<Account> {
            self.0.fetch_add(1, Ordering::SeqCst);
            (uid == 1000).then(|| Account { name: "ops".to_owned(), groups: vec!["wheel".to_owned()] })
        }
    }

    #[test]
    fn asks_once_a_minute() {
        let asked = Arc::new(AtomicUsize::new(0));
        let peers =
            Peers::with("host".to_owned(), "/nonexistent".into(), Box::new(Fixed(Arc::clone(&asked))));
        let start = Instant::now();
        let ops = Credentials { uid: 1000, gid: 1000, pid: Some(7) };
        for seconds in [0, 59] {
            let (actor, groups) = peers.identify(ops, start + Duration::from_secs(seconds));
            assert_eq!((actor.name.as_str(), actor.domain.as_str(), actor.pid), ("ops", "host", 7));
            assert_eq!(groups, ["wheel"]);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let _ = peers.identify(ops, start + Duration::from_secs(60));
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        let (nobody, groups) = peers.identify(Credentials { uid: 7, gid: 7, pid: None }, start);
        assert_eq!((nobody.name.as_str(), groups.len()), ("uid:7", 0));
    }

    #[test]
    fn knows_this_very_process() {
        let uid = nix::unistd::geteuid().as_raw();
        let credentials = Credentials { uid, gid: uid, pid: Some(std::process::id()) };
        let (actor, _) = Peers::new(None).identify(credentials, Instant::now());
        assert!(!actor.process.is_empty() && !actor.domain.is_empty());
    }
}
