//! The system's users and groups. Owns the questions to NSS, which may block on a directory server;
//! must not remember answers (`identify` does).

use std::ffi::CString;

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

/// A user the system knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// User name.
    pub name: String,
    /// Names of all groups, primary one first; a group without a name is left out.
    pub groups: Vec<String>,
}

/// Where users and groups come from.
pub trait Accounts: Send + Sync {
    /// The user of a uid; None when there is no such user, or nobody can tell.
    fn find(&self, uid: u32) -> Option<Account>;
}

/// NSS: `getpwuid`, `getgrouplist`.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Accounts for System {
    fn find(&self, uid: u32) -> Option<Account> {
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten()?;
        let name = CString::new(user.name.as_str()).ok()?;
        let gids = getgrouplist(&name, user.gid).unwrap_or_else(|_| vec![user.gid]);
        let group = |gid: Gid| Group::from_gid(gid).ok().flatten().map(|group| group.name);
        Some(Account { name: user.name, groups: gids.into_iter().filter_map(group).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_root() {
        let root = System.find(0).unwrap();
        assert_eq!(root.name, "root");
        assert!(root.groups.contains(&"root".to_owned()));
        assert_eq!(System.find(u32::MAX - 7), None);
    }
}
