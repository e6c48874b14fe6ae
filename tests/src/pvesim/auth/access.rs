//! The access database: users, tokens, ACL, and the decisions taken from them.
//!
//! Owns identification (header, cookie, password) and privilege look-up. An ACL entry deeper in the path
//! replaces those above it; a privilege-separated token counts on its own entries alone.

use std::collections::{BTreeMap, HashMap};

use super::roles::{self, PrivSet};
use super::{TokenSpec, ticket};

/// A known user.
#[derive(Debug, Clone)]
pub struct User {
    /// `name@realm`.
    pub id: String,
    /// Password; `None` cannot log in.
    pub password: Option<String>,
    /// A log-in wants a second factor, too.
    pub second_factor: bool,
}

/// A known API token.
#[derive(Debug, Clone)]
pub struct Token {
    /// The owner.
    pub user: String,
    /// The part after `!`.
    pub id: String,
    /// The secret.
    pub secret: String,
    /// Has it privileges of its own only?
    pub privsep: bool,
    /// When it ends, unix seconds; 0 = never.
    pub expire: i64,
}

/// One ACL entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclEntry {
    /// `user` or `token`.
    pub kind: &'static str,
    /// Whom it is about.
    pub who: String,
    /// The role.
    pub role: String,
    /// Does it hold below its path too?
    pub propagate: bool,
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `user@realm` or `user@realm!token`, as it goes into a UPID.
    pub auth_id: String,
    /// `user@realm`.
    pub user: String,
    /// The token's id.
    pub token: Option<String>,
}

impl Identity {
    /// The cluster's own identity, under which HA acts.
    #[must_use]
    pub fn root() -> Self {
        Self::from_auth_id("root@pam")
    }

    /// Splits `user@realm[!token]`.
    #[must_use]
    pub fn from_auth_id(auth_id: &str) -> Self {
        let (user, token) = match auth_id.split_once('!') {
            Some((user, token)) => (user, Some(token.to_owned())),
            None => (auth_id, None),
        };
        Self { auth_id: auth_id.to_owned(), user: user.to_owned(), token }
    }

    /// Root itself; a token *of* root is not.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.auth_id == "root@pam"
    }
}

/// Users, tokens and the ACL.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Known users by id.
    pub users: BTreeMap<String, User>,
    /// Known tokens by `user!id`.
    pub tokens: BTreeMap<String, Token>,
    /// ACL entries by path.
    pub acl: BTreeMap<String, Vec<AclEntry>>,
    /// The pool of each container in one.
    pub pool_of: HashMap<u32, String>,
    key: String,
}

impl Access {
    /// A database with `root@pam` and the given tokens and users.
    #[must_use]
    pub fn new(key: &str, tokens: &[TokenSpec], users: &[TokenSpec]) -> Self {
        let mut access = Self { key: key.to_owned(), ..Self::default() };
        access.add_user("root@pam", None);
        for spec in users {
            access.add_user(&spec.user, Some(&spec.secret));
            access.grant_spec(spec, "user", &spec.user);
        }
        for spec in tokens {
            if !access.users.contains_key(&spec.user) {
                access.add_user(&spec.user, None);
                // A separated token has no more than its user, so the user gets everything.
                let owner = TokenSpec { grants: None, ..spec.clone() };
                access.grant_spec(&owner, "user", &spec.user);
            }
            access.add_token(&spec.user, &spec.id, &spec.secret, spec.grants.is_some());
            if spec.grants.is_some() {
                access.grant_spec(spec, "token", &format!("{}!{}", spec.user, spec.id));
            }
        }
        access
    }

    fn add_user(&mut self, id: &str, password: Option<&str>) {
        let user = User { id: id.to_owned(), password: password.map(str::to_owned), second_factor: false };
        self.users.insert(id.to_owned(), user);
    }

    /// Adds a token.
    pub fn add_token(&mut self, user: &str, id: &str, secret: &str, privsep: bool) {
        let token =
            Token { user: user.to_owned(), id: id.to_owned(), secret: secret.to_owned(), privsep, expire: 0 };
        self.tokens.insert(format!("{user}!{id}"), token);
    }

    fn grant_spec(&mut self, spec: &TokenSpec, kind: &'static str, who: &str) {
        if who == "root@pam" {
            return;
        }
        let everything = vec![("Administrator".to_owned(), "/".to_owned())];
        for (role, path) in spec.grants.clone().unwrap_or(everything) {
            self.grant(&path, kind, who, &role, true);
        }
    }

    /// Adds an ACL entry.
    pub fn grant(&mut self, path: &str, kind: &'static str, who: &str, role: &str, propagate: bool) {
        let entry = AclEntry { kind, who: who.to_owned(), role: role.to_owned(), propagate };
        let entries = self.acl.entry(path.to_owned()).or_default();
        entries.retain(|e| (e.kind, &e.who, &e.role) != (kind, &entry.who, &entry.role));
        entries.push(entry);
    }

    /// Drops what was granted on a path; Proxmox does so when a container is destroyed.
    pub fn forget_path(&mut self, path: &str) {
        self.acl.remove(path);
    }

    /// Identifies the bearer of a token: `user@realm!id=secret`.
    #[must_use]
    pub fn by_token(&self, text: &str) -> Option<Identity> {
        let (id, secret) = text.rsplit_once('=')?;
        let token = self.tokens.get(id)?;
        (token.secret == secret).then(|| Identity::from_auth_id(id))
    }

    /// Identifies the bearer of a ticket.
    #[must_use]
    pub fn by_ticket(&self, text: &str, now: i64) -> Option<Identity> {
        let user = ticket::check(&self.key, text, now)?;
        self.users.contains_key(&user).then(|| Identity::from_auth_id(&user))
    }

    /// Is this the CSRF token that came with a ticket of this user?
    #[must_use]
    pub fn csrf_matches(&self, user: &str, token: &str) -> bool {
        ticket::check_csrf(&self.key, user, token)
    }

    /// Logs a user in with a password or an earlier ticket: (ticket, CSRF token).
    #[must_use]
    pub fn login(&self, user: &str, password: &str, now: i64) -> Option<(String, String)> {
        let known = self.users.get(user)?;
        let renewed = ticket::check(&self.key, password, now).is_some_and(|u| u == user);
        (renewed || known.password.as_deref() == Some(password)).then(|| ticket::make(&self.key, user, now))
    }

    /// The privileges of a caller on a path.
    #[must_use]
    pub fn privileges(&self, who: &Identity, path: &str) -> PrivSet {
        if let Some(token) = who.token.as_ref().and_then(|_| self.tokens.get(&who.auth_id))
            && token.privsep
        {
            let own = self.entries("token", &who.auth_id, path);
            let user = Identity::from_auth_id(&who.user);
            return own & self.privileges(&user, path);
        }
        if who.user == "root@pam" {
            return roles::ALL;
        }
        self.entries("user", &who.user, path)
    }

    fn entries(&self, kind: &str, who: &str, path: &str) -> PrivSet {
        let direct = self.walk(kind, who, path);
        let vmid = path.strip_prefix("/vms/").and_then(|v| v.parse::<u32>().ok());
        match vmid.and_then(|v| self.pool_of.get(&v)) {
            Some(pool) => direct | self.walk(kind, who, &format!("/pool/{pool}")),
            None => direct,
        }
    }

    fn walk(&self, kind: &str, who: &str, path: &str) -> PrivSet {
        let mut granted = 0;
        let ends = path.char_indices().filter(|(i, c)| *c == '/' && *i > 0).map(|(i, _)| i);
        let prefixes =
            std::iter::once("/").chain(ends.map(|i| &path[..i])).chain((path != "/").then_some(path));
        for prefix in prefixes {
            let here = self.acl.get(prefix).into_iter().flatten();
            let mine = here.filter(|e| e.kind == kind && e.who == who && (e.propagate || prefix == path));
            let roles: Vec<PrivSet> = mine.filter_map(|e| roles::role(&e.role)).collect();
            if !roles.is_empty() {
                granted = roles.iter().fold(0, |all, r| all | r);
            }
        }
        granted
    }

    /// Has the caller this privilege on the path?
    #[must_use]
    pub fn may(&self, who: &Identity, path: &str, privilege: &str) -> bool {
        self.privileges(who, path) & roles::bit(privilege) != 0
    }

    /// What `/access/permissions` shows: the privileges on every path that says something.
    #[must_use]
    pub fn effective(
        &self,
        who: &Identity,
        only: Option<&str>,
    ) -> BTreeMap<String, BTreeMap<&'static str, u8>> {
        const DEFAULT: [&str; 8] =
            ["/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"];
        let paths: Vec<&str> = match only {
            Some(path) => vec![path],
            None => DEFAULT.into_iter().chain(self.acl.keys().map(String::as_str)).collect(),
        };
        let named = |set| roles::names(set).map(|p| (p, 1)).collect();
        paths
            .into_iter()
            .map(|path| (path.to_owned(), self.privileges(who, path)))
            .filter(|(_, set)| *set != 0 || only.is_some())
            .map(|(path, set)| (path, named(set)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(specs: &[&str]) -> Access {
        let tokens: Vec<_> = specs.iter().map(|s| TokenSpec::token(s).expect("spec")).collect();
        Access::new("k", &tokens, &[])
    }

    #[test]
    fn a_token_without_grants_may_everything() {
        let access = access(&["ops@pve!t=s"]);
        let who = access.by_token("ops@pve!t=s").expect("known");
        assert!(access.may(&who, "/vms/104", "VM.PowerMgmt"));
    }

    #[test]
    fn grants_bind_a_token_to_their_path() {
        let access = access(&["root@pam!t=s:PVEVMUser@/vms/104"]);
        let who = access.by_token("root@pam!t=s").expect("known");
        assert!(access.may(&who, "/vms/104", "VM.PowerMgmt"));
        assert!(!access.may(&who, "/vms/105", "VM.PowerMgmt"));
        assert!(!access.may(&who, "/vms/104", "VM.Allocate"));
        assert_eq!(access.effective(&who, None).keys().collect::<Vec<_>>(), ["/vms/104"]);
    }

    #[test]
    fn the_deepest_entry_replaces_those_above() {
        let access = access(&["root@pam!t=s:Administrator,NoAccess@/vms/105"]);
        let who = access.by_token("root@pam!t=s").expect("known");
        assert!(access.may(&who, "/vms/104", "VM.Audit"));
        assert!(!access.may(&who, "/vms/105", "VM.Audit"));
    }

    #[test]
    fn a_wrong_secret_is_nobody() {
        assert_eq!(access(&["root@pam!t=s"]).by_token("root@pam!t=x"), None);
    }
}
