//! Exchanges that are not compared, each with its reason.

/// The reason why an exchange is not compared, if it is not.
pub(super) fn reason(name: &str) -> Option<&'static str> {
    LISTED.iter().find(|(names, _)| names.iter().any(|n| matches(n, name))).map(|(_, reason)| *reason)
}

/// Lists of tasks are compared by shape only: the history they show was not recorded whole.
pub(super) fn shape_only(name: &str) -> bool {
    ["tasks.list*", "tasks.running-visibility.*"].iter().any(|n| matches(n, name))
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or_else(|| pattern == name, |head| name.starts_with(head))
}

const LISTED: &[(&[&str], &str)] = &[
    (
        &["rrddata", "firewall.options"],
        "not served: monitoring history and firewall, which lxcd does not read",
    ),
    (
        &["clone*", "delete.clone*", "vzdump*", "migrate*", "snapshot.unsupported*"],
        "not served: clone, backup, migration, snapshots",
    ),
    (&["storage.content.backup", "storage.content.delete*"], "not served: backups"),
];
