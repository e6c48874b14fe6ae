//! The lxcd of one database: who there is, and having one of them hand over. Owns finding the one that is meant.

use lxc_core::error::{Code, Error, Result};
use lxc_core::record::DaemonSeen;

use super::access::Caller;
use super::operations::done;
use super::{Services, store_error};

impl Services {
    /// Every lxcd that shares the database, those that are gone too.
    ///
    /// # Errors
    /// LXC0601 without a role.
    pub async fn daemons(&self, caller: &Caller) -> Result<Vec<DaemonSeen>> {
        self.access.enter(caller)?;
        let mut all = self.store.daemons(self.now()).await.map_err(store_error)?;
        for daemon in &mut all {
            daemon.polls.retain(|remote| self.access.sees(caller, remote));
        }
        Ok(all)
    }

    /// Has one hand over; empty = this one. Answers with it, and how many others go on.
    ///
    /// # Errors
    /// LXC0307 for one that there is not, or no more.
    pub async fn drain(&self, caller: &Caller, id: &str) -> Result<(DaemonSeen, usize)> {
        self.access.require_anywhere(caller, "daemon drain")?;
        let all = self.daemons(caller).await?;
        let me = self.me.to_string();
        let id = if id.is_empty() { &me } else { id };
        let named = |daemon: &&DaemonSeen| {
            let known = &daemon.record.id;
            known.to_string() == id || known.short() == id
        };
        let found =
            all.iter().find(named).filter(|daemon| daemon.lease_left > 0).ok_or_else(|| no_daemon(id))?;
        let record = &found.record;
        let (target, detail) =
            (format!("daemon {}", record.id.short()), format!("{} pid {}", record.host, record.pid));
        let audit = done(&caller.actor, "daemon drain", target, self.now(), detail, None);
        if !self.store.ask_drain(record.id, self.now(), Some(&audit)).await.map_err(store_error)? {
            return Err(no_daemon(id));
        }
        self.bus.drain_wanted();
        let others =
            all.iter().filter(|other| other.record.id != record.id && other.status() == "ok").count();
        Ok((DaemonSeen { draining: true, ..found.clone() }, others))
    }

    /// # Errors
    /// LXC0805 while this lxcd hands over.
    pub fn begins(&self) -> Result<()> {
        self.engine.handed_over().map_or(Ok(()), |why| {
            Err(Error::new(Code::Draining, "this lxcd begins nothing new")
                .because(why)
                .hint_noted("lxcctl daemon ls", "lists the others; ask one of them"))
        })
    }
}

fn no_daemon(id: &str) -> Error {
    Error::new(Code::NoDaemon, format!("there is no lxcd {id}"))
        .because("none of that id has a lease in this database")
        .hint("lxcctl daemon ls")
}
