//! What a token needs on Proxmox, and what of it is missing. Owns which privilege opens which activity; pure,
//! must not ask anybody. Which line on a node helps is `grant`'s.

mod grant;
#[cfg(test)]
mod tests;

use crate::pve::Permissions;

pub use grant::{Acl, AclEntry, Subject, grants};

/// One privilege on one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// `VM.Allocate`
    pub privilege: &'static str,
    /// `/vms`
    pub path: &'static str,
}

const fn need(privilege: &'static str, path: &'static str) -> Need {
    Need { privilege, path }
}

/// Makes the rest of the installation readable; nothing is refused without it.
const LOOK: Need = need("Sys.Audit", "/nodes");

const CREATE: &str = "create";
const DOWNLOAD: &str = "download";
/// What people do, and what each needs.
const ACTIVITIES: [(&str, &[Need]); 5] = [
    ("list", &[need("VM.Audit", "/vms"), LOOK]),
    ("power", &[need("VM.PowerMgmt", "/vms")]),
    ("delete", &[need("VM.Allocate", "/vms")]),
    (
        CREATE,
        &[
            need("VM.Allocate", "/vms"),
            need("VM.Config.CPU", "/vms"),
            need("VM.Config.Disk", "/vms"),
            need("VM.Config.Memory", "/vms"),
            need("VM.Config.Network", "/vms"),
            need("VM.Config.Options", "/vms"),
            need("Datastore.AllocateSpace", "/storage"),
            need("SDN.Use", "/sdn/zones"),
        ],
    ),
    // What `create --download` needs beside.
    (DOWNLOAD, &[need("Datastore.AllocateTemplate", "/storage")]),
];

/// How an activity or several stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `list`, `power`
    pub activities: Vec<&'static str>,
    /// Missing, and therefore refused.
    pub missing: Vec<Need>,
    /// Missing, and only less is known or done.
    pub wanting: Vec<Need>,
    /// Held, in words: `VM.Audit`, `VM.PowerMgmt on /pool/web`.
    pub held: Vec<String>,
}

/// Where a privilege is held that is missing on the whole of a path.
fn below(permissions: &Permissions, need: Need) -> Option<&str> {
    let counts = |path: &str| {
        let inside = |top: &str| path.strip_prefix(top).is_some_and(|rest| rest.starts_with('/'));
        inside(need.path) || (need.path == "/vms" && inside("/pool"))
    };
    let mut paths = permissions.paths.iter().filter(|(path, _)| counts(path));
    paths.find(|(_, held)| held.contains_key(need.privilege)).map(|(path, _)| path.as_str())
}

/// How a token with these permissions stands, activity by activity; what is alike and good in one.
#[must_use]
pub fn stand(permissions: &Permissions) -> Vec<Standing> {
    let mut all: Vec<Standing> = Vec::new();
    let mut refused: Vec<Need> = Vec::new();
    let mut creates = false;
    for (name, needs) in ACTIVITIES {
        let mut one =
            Standing { activities: vec![name], missing: Vec::new(), wanting: Vec::new(), held: Vec::new() };
        for &need in needs {
            match below(permissions, need) {
                _ if permissions.allows(need.path, need.privilege) => {
                    one.held.push(need.privilege.to_owned())
                }
                Some(path) => one.held.push(format!("{} on {path}", need.privilege)),
                // A token for looking and power is a sound choice: told, but no fault.
                None if need == LOOK || name == CREATE || name == DOWNLOAD => one.wanting.push(need),
                None => one.missing.push(need),
            }
        }
        // For who cannot create there is nothing to download.
        if name == DOWNLOAD && !creates {
            continue;
        }
        creates = name == CREATE && one.wanting.is_empty();
        // What another activity lacks too is said there.
        if one.wanting.iter().any(|need| refused.contains(need)) {
            continue;
        }
        refused.extend(&one.missing);
        let good = |standing: &Standing| standing.missing.is_empty() && standing.wanting.is_empty();
        match all.last_mut() {
            Some(last) if good(last) && good(&one) => {
                last.activities.append(&mut one.activities);
                one.held.retain(|held| !last.held.contains(held));
                last.held.append(&mut one.held);
            }
            _ => all.push(one),
        }
    }
    all
}

/// The activities that are refused as long as these are missing, by name.
#[must_use]
pub fn refused(missing: &[Need]) -> Vec<&'static str> {
    let hit = |needs: &[Need]| needs.iter().any(|need| missing.contains(need));
    let mut names: Vec<_> =
        ACTIVITIES.iter().filter(|(_, needs)| hit(needs)).map(|(name, _)| *name).collect();
    names.sort_unstable();
    names
}
