//! The decision on roles: pure, from the configuration, the daemon's own uid and what a remote's owner
//! decided. Must not look anybody up.
//!
//! * As long as the configuration names no admin, root and the daemon's own user are admin; once it
//!   has a `roles.admin`, that list alone counts. Nobody else is anything.
//! * A remote with an owner is its owner's, who is admin there. A role from `[roles]` counts there for
//!   root and for the daemon's own user only, who see everything anyway: to anybody else it opens by
//!   `[remotes.NAME.roles]` or by being shared. One without an owner opens by `[roles]` too.
//! * Names and uids are those of an identity domain; the same ones elsewhere are somebody else.
//! * The highest role counts.

use std::collections::BTreeMap;

use lxc_core::actor::{Actor, Role};
use lxc_core::record::{People, Share};

use crate::config::{Config, Roles, Who};

/// A role and the reason for it, as `whoami` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The role.
    pub role: Role,
    /// `roles.admin names @wheel`
    pub because: String,
    /// The group that has it, where the role is a group's.
    pub group: Option<String>,
}

impl Granted {
    fn new(role: Role, because: impl Into<String>) -> Self {
        Self { role, because: because.into(), group: None }
    }

    fn named(role: Role, table: &str, who: &Who) -> Self {
        let group = match who {
            Who::Group(name) => Some(name.clone()),
            Who::User(_) => None,
        };
        Self { role, because: format!("{table}.{role} names {who}"), group }
    }
}

/// What is known about access to one remote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteAccess {
    /// Its name, as in `[remotes.NAME.roles]`.
    pub name: String,
    /// Whose it is, and with whom it is shared.
    pub people: People,
}

/// Everything the decision needs that does not change with the caller.
#[derive(Debug, Clone, Default)]
pub struct Access {
    roles: Roles,
    remotes: BTreeMap<String, Roles>,
    daemon_uid: u32,
}

impl Access {
    /// From a configuration and the daemon's effective uid.
    #[must_use]
    pub fn new(config: &Config, daemon_uid: u32) -> Self {
        Self { roles: config.roles.clone(), remotes: config.remote_roles.clone(), daemon_uid }
    }

    /// Whether somebody has a role on any remote the configuration names.
    #[must_use]
    pub fn somewhere(&self, actor: &Actor, groups: &[String]) -> Option<Granted> {
        let named = self.remotes.iter().filter_map(|(name, roles)| {
            let (role, who) = roles.of(&actor.name, groups)?;
            Some(Granted::named(role, &format!("remotes.{name}.roles"), who))
        });
        named.max_by_key(|granted| granted.role)
    }

    /// The remotes the configuration names; on any other, somebody has the role they have in general.
    pub fn named(&self) -> impl Iterator<Item = &str> {
        self.remotes.keys().map(String::as_str)
    }

    /// The highest role of somebody in these groups, on one remote or apart from any. None = they
    /// are nobody here, and a remote of that name does not exist for them.
    #[must_use]
    pub fn role_of(
        &self,
        actor: &Actor,
        groups: &[String],
        remote: Option<&RemoteAccess>,
    ) -> Option<Granted> {
        let general = self.general(actor, groups);
        let Some(remote) = remote else {
            return general;
        };
        let owner = remote.people.owner.as_ref();
        let owns = owner.is_some_and(|owner| owner.uid == actor.uid && owner.domain == actor.domain);
        let open = owner.is_none() || self.sees_all(actor);
        let owned = owns.then(|| Granted::new(Role::Admin, format!("the owner of {}", remote.name)));
        let configured = self.remotes.get(&remote.name).and_then(|roles| {
            let (role, who) = roles.of(&actor.name, groups)?;
            Some(Granted::named(role, &format!("remotes.{}.roles", remote.name), who))
        });
        let means = |share: &&Share| {
            let who = Who::parse(&share.who);
            share.domain == actor.domain && who.is_some_and(|who| who.means(&actor.name, groups))
        };
        let shared = remote.people.shares.iter().filter(means);
        let shared = shared.map(|share| Granted::new(share.role, format!("shared with {}", share.who)));
        // Of equals the first, which is the one people wrote down for everything.
        general
            .filter(|_| open)
            .into_iter()
            .chain(owned)
            .chain(configured)
            .chain(shared)
            .reduce(|best, next| if next.role > best.role { next } else { best })
    }

    /// Root and the user lxcd runs as could read the database itself: nothing is hidden from them.
    #[must_use]
    pub fn sees_all(&self, actor: &Actor) -> bool {
        actor.uid == 0 || actor.uid == self.daemon_uid
    }

    fn general(&self, actor: &Actor, groups: &[String]) -> Option<Granted> {
        if self.roles.admin.is_none() {
            if actor.uid == 0 {
                return Some(Granted::new(Role::Admin, "root"));
            }
            if actor.uid == self.daemon_uid {
                return Some(Granted::new(Role::Admin, "the user lxcd runs as"));
            }
        }
        let (role, who) = self.roles.of(&actor.name, groups)?;
        Some(Granted::named(role, "roles", who))
    }
}

#[cfg(test)]
mod tests {
    use lxc_core::record::Owner;

    use super::*;

    fn actor(name: &str, uid: u32) -> Actor {
        Actor {
            name: name.to_owned(),
            uid,
            domain: "host".to_owned(),
            pid: 1,
            process: String::new(),
            tty: String::new(),
            login_uid: None,
            sudo_uid: None,
        }
    }

    fn who(names: &[&str]) -> Option<Vec<Who>> {
        Some(names.iter().filter_map(|name| Who::parse(name)).collect())
    }

    fn role(granted: Option<Granted>) -> Option<Role> {
        granted.map(|granted| granted.role)
    }

    #[test]
    fn without_a_configuration_root_and_the_daemon_are_admin() {
        let access = Access { daemon_uid: 1000, ..Access::default() };
        assert_eq!(access.role_of(&actor("root", 0), &[], None), Some(Granted::new(Role::Admin, "root")));
        assert_eq!(role(access.role_of(&actor("ops", 1000), &[], None)), Some(Role::Admin));
        assert_eq!(access.role_of(&actor("eve", 1001), &["wheel".into()], None), None);
    }

    #[test]
    fn a_configured_admin_list_is_the_whole_list() {
        let roles = Roles { admin: who(&["@wheel"]), operator: None, viewer: who(&["bob"]) };
        let access = Access { roles, daemon_uid: 1000, ..Access::default() };
        assert_eq!(access.role_of(&actor("root", 0), &[], None), None);
        assert_eq!(access.role_of(&actor("ops", 1000), &[], None), None);
        let granted = access.role_of(&actor("ops", 1000), &["wheel".into()], None);
        let wheel =
            Granted { group: Some("wheel".into()), ..Granted::new(Role::Admin, "roles.admin names @wheel") };
        assert_eq!(granted, Some(wheel));
        assert_eq!(role(access.role_of(&actor("bob", 1001), &[], None)), Some(Role::Viewer));
        // Only viewers named: the defaults for admin stay.
        let roles = Roles { viewer: who(&["bob"]), ..Roles::default() };
        let access = Access { roles, daemon_uid: 1000, ..Access::default() };
        assert_eq!(role(access.role_of(&actor("root", 0), &[], None)), Some(Role::Admin));
    }

    #[test]
    fn a_remote_with_an_owner_is_theirs() {
        let roles = Roles { admin: who(&["ann", "bob", "root"]), ..Roles::default() };
        let named = Roles { viewer: who(&["cat"]), ..Roles::default() };
        let remotes = BTreeMap::from([("lab".to_owned(), named)]);
        let access = Access { roles, remotes, daemon_uid: 0 };
        let mut lab = RemoteAccess {
            name: "lab".to_owned(),
            people: People { owner: Some(Owner { uid: 1, domain: "host".to_owned() }), shares: Vec::new() },
        };
        assert_eq!(role(access.role_of(&actor("ann", 1), &[], Some(&lab))), Some(Role::Admin));
        assert_eq!(access.role_of(&actor("bob", 2), &[], Some(&lab)), None);
        assert_eq!(role(access.role_of(&actor("root", 0), &[], Some(&lab))), Some(Role::Admin));
        assert_eq!(role(access.role_of(&actor("cat", 3), &[], Some(&lab))), Some(Role::Viewer));
        assert_eq!(access.role_of(&actor("cat", 3), &[], None), None);
        assert_eq!(role(access.somewhere(&actor("cat", 3), &[])), Some(Role::Viewer));
        assert_eq!(access.somewhere(&actor("eve", 4), &[]), None);
        let elsewhere = Actor { domain: "other".to_owned(), ..actor("ann", 1) };
        assert_eq!(access.role_of(&elsewhere, &[], Some(&lab)), None);

        let share = |who: &str, domain: &str, role| Share { who: who.into(), domain: domain.into(), role };
        lab.people.shares = vec![
            share("@dev", "host", Role::Viewer),
            share("dan", "host", Role::Operator),
            share("eve", "other", Role::Admin),
        ];
        assert_eq!(access.role_of(&actor("eve", 5), &[], Some(&lab)), None, "another domain's eve");
        let eve = Actor { domain: "other".to_owned(), ..actor("eve", 5) };
        assert_eq!(role(access.role_of(&eve, &[], Some(&lab))), Some(Role::Admin));
        let granted = access.role_of(&actor("dan", 4), &["dev".into()], Some(&lab));
        assert_eq!(granted, Some(Granted::new(Role::Operator, "shared with dan")));
        lab.people.owner = None;
        assert_eq!(role(access.role_of(&actor("bob", 2), &[], Some(&lab))), Some(Role::Admin));
    }
}
