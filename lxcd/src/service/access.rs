//! Who may do what. Owns the rule of roles over verbs; who somebody is, is found out in `peer`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use lxc_core::actor::{Actor, Role};
use lxc_core::error::{Code, Error, Result};
use lxc_core::record::Owner;

use tokio::net::unix::UCred;

use super::registry::Registry;
use crate::peer::{self, Credentials, Granted, Peers, RemoteAccess};

/// Somebody on the socket.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// Their groups' names.
    pub groups: Vec<String>,
}

/// The roles in force, and who is who.
#[derive(Debug)]
pub struct Access {
    roles: peer::Access,
    peers: Arc<Peers>,
    registry: Arc<Registry>,
}

impl Access {
    /// From the configuration; without any, root and the daemon's own user are admin.
    #[must_use]
    pub fn new(roles: peer::Access, peers: Peers, registry: Arc<Registry>) -> Self {
        Self { roles, peers: Arc::new(peers), registry }
    }

    /// Finds out who somebody is. User databases may be slow, so that is done where blocking is allowed.
    ///
    /// # Errors
    /// LXC0107 when that cannot be done.
    pub async fn caller(&self, credentials: &UCred, sudo_uid: Option<u32>) -> Result<Caller> {
        let (peers, credentials) = (self.peers.clone(), Credentials::from(credentials));
        let found = tokio::task::spawn_blocking(move || peers.identify(credentials, Instant::now())).await;
        let (mut actor, groups) = found.map_err(|error| {
            Error::new(Code::Internal, "cannot tell who calls").because(error.to_string())
        })?;
        actor.sudo_uid = actor.sudo_uid.or(sudo_uid);
        Ok(Caller { actor, groups })
    }

    /// Whose a remote is that this caller adds: what root or the daemon's own user adds is everybody's.
    #[must_use]
    pub fn owner(&self, actor: &Actor) -> Option<Owner> {
        let personal = !self.roles.sees_all(actor);
        personal.then(|| Owner { uid: actor.uid, domain: actor.domain.clone() })
    }

    /// The role of a caller on a remote (None = anywhere), and why.
    #[must_use]
    pub fn role(&self, caller: &Caller, remote: Option<&str>) -> Option<(Role, String)> {
        let granted = self.granted(caller, remote)?;
        Some((granted.role, granted.because))
    }

    fn granted(&self, caller: &Caller, remote: Option<&str>) -> Option<Granted> {
        let access = |name: &str| {
            let known = self.registry.get(name).map(|remote| remote.row.people.clone());
            RemoteAccess { name: name.to_owned(), people: known.unwrap_or_default() }
        };
        let remote = remote.map(access);
        self.roles.role_of(&caller.actor, &caller.groups, remote.as_ref())
    }

    /// Whether a caller may see a remote at all.
    #[must_use]
    pub fn sees(&self, caller: &Caller, remote: &str) -> bool {
        self.role(caller, Some(remote)).is_some()
    }

    /// The remotes a caller may see; None = all, those that are gone too.
    #[must_use]
    pub fn visible(&self, caller: &Caller) -> Option<Vec<String>> {
        // What a remote that is gone was called may have been somebody's own: then only those names count that
        // can be told.
        let open = self.roles.sees_all(&caller.actor) || !self.registry.has_owners();
        if open && self.role(caller, None).is_some() {
            return None;
        }
        let known = self.registry.all();
        let names = known.iter().map(|remote| remote.row.name.as_str()).chain(self.roles.named());
        let seen: BTreeSet<&str> = names.filter(|name| self.sees(caller, name)).collect();
        Some(seen.into_iter().map(str::to_owned).collect())
    }

    /// The caller's role apart from any remote; a viewer is whoever has a role on some remote only.
    ///
    /// # Errors
    /// LXC0601 when the caller has no role at all.
    pub fn enter(&self, caller: &Caller) -> Result<Role> {
        let guest = || {
            let named = self.roles.somewhere(&caller.actor, &caller.groups).is_some();
            let known = || self.registry.all().iter().any(|remote| self.sees(caller, &remote.row.name));
            (named || known()).then_some(Role::Viewer)
        };
        self.role(caller, None).map(|(role, _)| role).or_else(guest).ok_or_else(|| {
            Error::new(Code::Role, format!("{} has no role here", caller.actor.name))
                .because("without roles in its configuration, lxcd obeys root and its own user only")
                .hint_noted("lxcctl whoami", "says who lxcd takes you for")
        })
    }

    /// # Errors
    /// LXC0302 when the caller may not see the remote, LXC0601 when the role is too low for the verb.
    pub fn require(
        &self,
        caller: &Caller,
        remote: &str,
        verb: &str,
        target: &str,
        owner: &str,
    ) -> Result<()> {
        let needed = needed(verb);
        let Some(Granted { role, because, group }) = self.granted(caller, Some(remote)) else {
            return Err(no_remote(remote));
        };
        let because = group.map_or(because, |group| format!("group {group}"));
        if role >= needed {
            return Ok(());
        }
        let name = &caller.actor.name;
        Err(Error::new(Code::Role, format!("{name} may not {verb} {target}"))
            .about(target.split(' ').next().unwrap_or(target))
            .because(format!("{name} is {role} on {remote} ({because}); {verb} needs {needed}"))
            .hint(format!("ask {owner}, the owner of {remote}")))
    }

    /// # Errors
    /// LXC0601 when the caller's role anywhere is too low.
    pub fn require_anywhere(&self, caller: &Caller, verb: &str) -> Result<()> {
        let role = self.enter(caller)?;
        let needed = needed(verb);
        if role >= needed {
            return Ok(());
        }
        let name = &caller.actor.name;
        Err(Error::new(Code::Role, format!("{name} may not {verb}"))
            .because(format!("{name} is {role}; {verb} needs {needed}"))
            .hint_noted("lxcctl whoami", "says what you may do; roles stand in lxcd's configuration"))
    }
}

/// The lowest role a verb needs.
#[must_use]
pub fn needed(verb: &str) -> Role {
    match verb {
        "start" | "stop" | "shutdown" | "restart" | "cancel" | "retry" | "resolve" | "remote test" => {
            Role::Operator
        }
        "ls" | "show" | "services" | "events" | "watch" | "template ls" | "template export" | "bucket ls" => {
            Role::Viewer
        }
        _ => Role::Admin,
    }
}

/// Also what is said of a remote that is not the caller's to see.
#[must_use]
pub fn no_remote(name: &str) -> Error {
    Error::new(Code::NoRemote, format!("there is no remote {name}"))
        .because("none of that name is registered, or it is not yours to see")
        .hint("lxcctl remote ls")
}
