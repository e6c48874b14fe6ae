//! The line on a node that gives a token what it lacks and takes nothing away. Owns how Proxmox inherits
//! roles: an entry deeper in the path replaces all of the same user's above it, and a separated token has
//! no more than both it and its user have.

use std::collections::{BTreeMap, BTreeSet};

use super::Need;
use crate::pve::Permissions;
use crate::selector::quote;

/// One row of `/access/acl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclEntry {
    /// Where.
    pub path: String,
    /// `user`, `group` or `token`.
    pub kind: String,
    /// Whom it is about.
    pub who: String,
    /// The role.
    pub role: String,
    /// It holds below its path too.
    pub propagate: bool,
}

/// Who has which role where, and what each role is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acl {
    /// The rows that may be read.
    pub entries: Vec<AclEntry>,
    /// Privileges by role.
    pub roles: BTreeMap<String, BTreeSet<String>>,
}

/// Whose token it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// `user@realm`
    pub user: String,
    /// Groups of the user, where that can be read.
    pub groups: Vec<String>,
    /// `user@realm!token`; None for a user with a password.
    pub token: Option<String>,
    /// The token has privileges of its own only; None = nobody can tell.
    pub separated: Option<bool>,
}

impl Subject {
    /// The token, where it needs roles of its own; one that cannot be told may need them.
    fn separate(&self) -> Option<&str> {
        self.token.as_deref().filter(|_| self.separated != Some(false))
    }
}

/// Roles that are in every Proxmox, the smaller ones first.
const BUILT_IN: [&str; 8] = [
    "PVEAuditor",
    "PVEDatastoreUser",
    "PVESDNUser",
    "PVEVMUser",
    "PVESysAdmin",
    "PVEDatastoreAdmin",
    "PVESDNAdmin",
    "PVEVMAdmin",
];

fn built_in(role: &str, privilege: &str) -> bool {
    match role {
        "PVEAuditor" => privilege.ends_with(".Audit"),
        "PVEDatastoreUser" => matches!(privilege, "Datastore.AllocateSpace" | "Datastore.Audit"),
        "PVESDNUser" => matches!(privilege, "SDN.Use" | "SDN.Audit"),
        "PVEVMUser" => matches!(
            privilege,
            "VM.Audit"
                | "VM.Backup"
                | "VM.Config.CDROM"
                | "VM.Config.Cloudinit"
                | "VM.Console"
                | "VM.PowerMgmt"
        ),
        "PVESysAdmin" => matches!(privilege, "Sys.Audit" | "Sys.Console" | "Sys.Syslog"),
        "PVEDatastoreAdmin" => privilege.starts_with("Datastore."),
        "PVESDNAdmin" => privilege.starts_with("SDN."),
        "PVEVMAdmin" => privilege.starts_with("VM."),
        _ => false,
    }
}

impl Acl {
    /// The path that decides for somebody on `path`, and the roles there.
    #[must_use]
    pub fn roles_at(&self, kind: &str, who: &str, path: &str) -> Option<(&str, Vec<&str>)> {
        let applies = |entry: &&AclEntry| {
            let above =
                entry.path == "/" || path.strip_prefix(&*entry.path).is_some_and(|r| r.starts_with('/'));
            entry.kind == kind && entry.who == who && (entry.path == path || (above && entry.propagate))
        };
        let deepest = self.entries.iter().filter(applies).max_by_key(|entry| entry.path.len())?;
        let here = self.entries.iter().filter(applies).filter(|entry| entry.path == deepest.path);
        let mut roles: Vec<&str> = here.map(|entry| entry.role.as_str()).collect();
        roles.sort_unstable();
        roles.dedup();
        Some((&deepest.path, roles))
    }

    /// Roles of everybody the subject is, on a path.
    fn union(&self, subject: &Subject, path: &str) -> BTreeSet<&str> {
        let groups = subject.groups.iter().map(|group| ("group", group.as_str()));
        let all = groups.chain([("user", &*subject.user)]).chain(subject.separate().map(|id| ("token", id)));
        all.filter_map(|(kind, who)| self.roles_at(kind, who, path)).flat_map(|(_, roles)| roles).collect()
    }
}

/// What of a privilege's name counts on a path: on `/vms` those that begin with `VM.`.
fn family(path: &str) -> &'static str {
    match path {
        "/vms" => "VM.",
        "/storage" => "Datastore.",
        "/sdn/zones" => "SDN.",
        _ => "Sys.",
    }
}

/// One line for each path on which something is missing. Each names all roles that count there, those held
/// now too, for both user and token: an entry of its own ends what a path inherits.
#[must_use]
pub fn grants(missing: &[Need], acl: Option<&Acl>, subject: &Subject, held: &Permissions) -> Vec<String> {
    let mut who = format!("--users {}", quote(&subject.user));
    if let Some(token) = subject.separate() {
        who.push_str(&format!(" --tokens {}", quote(token)));
    }
    if held.paths.is_empty() && !missing.is_empty() {
        return vec![format!("pveum acl modify / {who} --roles PVEVMAdmin,PVEAuditor")];
    }
    let paths: BTreeSet<&str> = missing.iter().map(|need| need.path).collect();
    let line = |path: &str| {
        let lacking = missing.iter().filter(|need| need.path == path).map(|need| need.privilege.to_owned());
        let roles = roles(path, lacking.collect(), acl, subject, held);
        format!("pveum acl modify {path} {who} --roles {}", roles.join(","))
    };
    paths.into_iter().map(line).collect()
}

/// The roles that hold what is lacking on a path and everything that is held there now.
fn roles(
    path: &str,
    lacking: BTreeSet<String>,
    acl: Option<&Acl>,
    subject: &Subject,
    held: &Permissions,
) -> Vec<String> {
    let counts = |privilege: &str| privilege.starts_with(family(path));
    let mut wanted = lacking;
    wanted
        .extend(held.anywhere().into_iter().filter(|p| counts(p) && held.allows(path, p)).map(str::to_owned));
    let empty = Acl::default();
    let acl = acl.unwrap_or(&empty);
    let covers = |role: &&&str| wanted.iter().all(|privilege| built_in(role, privilege));
    let first = BUILT_IN.iter().find(covers).copied().unwrap_or("PVEAdmin");
    let mut roles = vec![first.to_owned()];
    for role in acl.union(subject, path) {
        let more = |privilege: &String| counts(privilege) && !built_in(first, privilege);
        let adds = acl.roles.get(role).is_some_and(|held| held.iter().any(more));
        if adds && first != "PVEAdmin" && role != "NoAccess" {
            roles.push(role.to_owned());
        }
    }
    roles
}
