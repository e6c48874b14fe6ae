//! Who may do what. Owns the rule of roles over verbs; who somebody is, is found out in `peer`.

use std::sync::Arc;
use std::time::Instant;

use lxc_core::actor::{Actor, Role};
use lxc_core::error::{Code, Error, Result};

use tokio::net::unix::UCred;

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
}

impl Access {
    /// From the configuration; without any, root and the daemon's own user are admin.
    #[must_use]
    pub fn new(roles: peer::Access, peers: Peers) -> Self {
        Self { roles, peers: Arc::new(peers) }
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

    /// The role of a caller on a remote (None = anywhere), and why.
    #[must_use]
    pub fn role(&self, caller: &Caller, remote: Option<&str>) -> Option<(Role, String)> {
        // Remotes belong to everybody with a role until they can be shared.
        let granted = self.granted(caller, remote)?;
        Some((granted.role, granted.because))
    }

    fn granted(&self, caller: &Caller, remote: Option<&str>) -> Option<Granted> {
        let remote = remote.map(|name| RemoteAccess { name: name.to_owned(), ..RemoteAccess::default() });
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
        if self.role(caller, None).is_some() {
            return None;
        }
        Some(self.roles.named().filter(|name| self.sees(caller, name)).map(str::to_owned).collect())
    }

    /// The caller's role apart from any remote; a viewer is whoever has a role on some remote only.
    ///
    /// # Errors
    /// LXC0601 when the caller has no role at all.
    pub fn enter(&self, caller: &Caller) -> Result<Role> {
        let guest = || self.roles.somewhere(&caller.actor, &caller.groups).map(|_| Role::Viewer);
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
        "ls" | "show" | "events" | "watch" => Role::Viewer,
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
