//! Privileges and the built-in roles.
//!
//! Owns two lists, in Proxmox's spelling.

/// Every privilege, which is also the role `Administrator`.
pub const PRIVILEGES: [&str; 47] = [
    "Datastore.Allocate",
    "Datastore.AllocateSpace",
    "Datastore.AllocateTemplate",
    "Datastore.Audit",
    "Group.Allocate",
    "Mapping.Audit",
    "Mapping.Modify",
    "Mapping.Use",
    "Permissions.Modify",
    "Pool.Allocate",
    "Pool.Audit",
    "Realm.Allocate",
    "Realm.AllocateUser",
    "SDN.Allocate",
    "SDN.Audit",
    "SDN.Use",
    "Sys.AccessNetwork",
    "Sys.Audit",
    "Sys.Console",
    "Sys.Incoming",
    "Sys.Modify",
    "Sys.PowerMgmt",
    "Sys.Syslog",
    "User.Modify",
    "VM.Allocate",
    "VM.Audit",
    "VM.Backup",
    "VM.Clone",
    "VM.Config.CDROM",
    "VM.Config.CPU",
    "VM.Config.Cloudinit",
    "VM.Config.Disk",
    "VM.Config.HWType",
    "VM.Config.Memory",
    "VM.Config.Network",
    "VM.Config.Options",
    "VM.Console",
    "VM.GuestAgent.Audit",
    "VM.GuestAgent.FileRead",
    "VM.GuestAgent.FileSystemMgmt",
    "VM.GuestAgent.FileWrite",
    "VM.GuestAgent.Unrestricted",
    "VM.Migrate",
    "VM.PowerMgmt",
    "VM.Replicate",
    "VM.Snapshot",
    "VM.Snapshot.Rollback",
];

/// The names of the built-in roles.
pub const ROLES: [&str; 17] = [
    "Administrator",
    "NoAccess",
    "PVEAdmin",
    "PVEAuditor",
    "PVEDatastoreAdmin",
    "PVEDatastoreUser",
    "PVEMappingAdmin",
    "PVEMappingUser",
    "PVEPoolAdmin",
    "PVEPoolUser",
    "PVESDNAdmin",
    "PVESDNUser",
    "PVESysAdmin",
    "PVETemplateUser",
    "PVEUserAdmin",
    "PVEVMAdmin",
    "PVEVMUser",
];

/// A set of privileges, one bit each in the order of [`PRIVILEGES`].
pub type PrivSet = u64;

/// All privileges.
pub const ALL: PrivSet = (1 << PRIVILEGES.len()) - 1;

/// The bit of one privilege; 0 for an unknown name.
#[must_use]
pub fn bit(privilege: &str) -> PrivSet {
    PRIVILEGES.iter().position(|p| *p == privilege).map_or(0, |i| 1 << i)
}

/// The privileges of a set, by name.
pub fn names(set: PrivSet) -> impl Iterator<Item = &'static str> {
    PRIVILEGES.iter().enumerate().filter(move |(i, _)| set & (1 << i) != 0).map(|(_, p)| *p)
}

/// The privileges of a role, of a single privilege, or of a `+`-joined list of them; `None` if unknown.
#[must_use]
pub fn role(name: &str) -> Option<PrivSet> {
    let of =
        |keep: &dyn Fn(&str) -> bool| PRIVILEGES.iter().filter(|p| keep(p)).fold(0, |set, p| set | bit(p));
    let set = match name {
        "Administrator" => ALL,
        "NoAccess" => 0,
        "PVEAdmin" => of(&|p| {
            !matches!(
                p,
                "Mapping.Modify"
                    | "Permissions.Modify"
                    | "Realm.Allocate"
                    | "Sys.AccessNetwork"
                    | "Sys.Incoming"
                    | "Sys.Modify"
                    | "Sys.PowerMgmt"
            )
        }),
        "PVEAuditor" => of(&|p| p.ends_with(".Audit")),
        "PVEDatastoreAdmin" => of(&|p| p.starts_with("Datastore.")),
        "PVEDatastoreUser" => bit("Datastore.AllocateSpace") | bit("Datastore.Audit"),
        "PVEMappingAdmin" => of(&|p| p.starts_with("Mapping.")),
        "PVEMappingUser" => bit("Mapping.Audit") | bit("Mapping.Use"),
        "PVEPoolAdmin" => of(&|p| p.starts_with("Pool.")),
        "PVEPoolUser" => bit("Pool.Audit"),
        "PVESDNAdmin" => of(&|p| p.starts_with("SDN.")),
        "PVESDNUser" => bit("SDN.Audit") | bit("SDN.Use"),
        "PVESysAdmin" => bit("Sys.Audit") | bit("Sys.Console") | bit("Sys.Syslog"),
        "PVETemplateUser" => bit("VM.Audit") | bit("VM.Clone"),
        "PVEUserAdmin" => bit("Group.Allocate") | bit("Realm.AllocateUser") | bit("User.Modify"),
        "PVEVMAdmin" => of(&|p| p.starts_with("VM.")),
        "PVEVMUser" => of(&|p| {
            matches!(p, "VM.Audit" | "VM.Backup" | "VM.Config.CDROM" | "VM.Config.Cloudinit" | "VM.Console")
                || p == "VM.PowerMgmt"
                || (p.starts_with("VM.GuestAgent.") && p != "VM.GuestAgent.Unrestricted")
        }),
        list => {
            let set = list.split('+').map(bit);
            return set.clone().all(|b| b != 0).then(|| set.fold(0, |all, b| all | b));
        }
    };
    Some(set)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared;

    #[test]
    fn roles_are_the_recorded_ones() {
        let Some(recorded) = shared::recorded("access.roles") else { return };
        for entry in recorded["data"].as_array().into_iter().flatten() {
            let name = entry["roleid"].as_str().unwrap_or_default();
            let privs: Vec<&str> = names(role(name).unwrap_or(0)).collect();
            assert_eq!(privs.join(","), entry["privs"].as_str().unwrap_or_default(), "{name}");
        }
    }

    #[test]
    fn lists_of_privileges_are_roles_too() {
        assert_eq!(role("VM.Audit+VM.PowerMgmt"), Some(bit("VM.Audit") | bit("VM.PowerMgmt")));
        assert_eq!(role("VM.Nonsense"), None);
    }
}
