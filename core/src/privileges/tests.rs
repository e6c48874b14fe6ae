//! What is missing, and the line that helps, for tokens as people make them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const USER: [&str; 3] = ["VM.Audit", "VM.PowerMgmt", "VM.Console"];

fn permissions(paths: &[(&str, &[&str])]) -> Permissions {
    let held = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), true)).collect();
    Permissions { paths: paths.iter().map(|(path, names)| ((*path).to_owned(), held(names))).collect() }
}

fn subject(separated: Option<bool>) -> Subject {
    Subject { user: "lxcd@pve".into(), groups: Vec::new(), token: Some("lxcd@pve!cli".into()), separated }
}

fn acl(entries: &[(&str, &str, &str, &str)]) -> Acl {
    let entry = |(path, kind, who, role): &(&str, &str, &str, &str)| AclEntry {
        path: (*path).into(),
        kind: (*kind).into(),
        who: (*who).into(),
        role: (*role).into(),
        propagate: true,
    };
    let role = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let roles = BTreeMap::from([
        ("PVEVMUser".to_owned(), role(&USER)),
        ("PVEAuditor".to_owned(), role(&["VM.Audit", "Sys.Audit"])),
        ("Odd".to_owned(), role(&["VM.Audit", "VM.Odd"])),
        ("PVEVMAdmin".to_owned(), role(&["VM.Audit", "VM.Allocate", "VM.PowerMgmt"])),
        ("Storekeeper".to_owned(), role(&["Datastore.Audit", "Datastore.Allocate"])),
    ]);
    Acl { entries: entries.iter().map(entry).collect(), roles }
}

#[test]
fn the_guides_token_lacks_one_privilege() {
    let held = permissions(&[("/", &["VM.Audit", "Sys.Audit", "VM.PowerMgmt"])]);
    let all = stand(&held);
    let names: Vec<String> = all.iter().map(|one| one.activities.join(", ")).collect();
    assert_eq!(names, ["list, power", "delete"]);
    assert_eq!(all[0].held.join(", "), "VM.Audit, Sys.Audit, VM.PowerMgmt");
    assert_eq!(all[1].missing, [need("VM.Allocate", "/vms")]);
    assert_eq!(refused(&all[1].missing), ["create", "delete"]);
    let acl = acl(&[("/", "user", "lxcd@pve", "PVEVMUser"), ("/", "user", "lxcd@pve", "PVEAuditor")]);
    assert_eq!(
        grants(&all[1].missing, Some(&acl), &subject(Some(false)), &held),
        ["pveum acl modify /vms --users lxcd@pve --roles PVEVMAdmin"]
    );
}

#[test]
fn a_separated_token_is_named_with_its_user() {
    let held = permissions(&[("/", &["VM.Audit", "Sys.Audit"])]);
    let missing = [need("VM.PowerMgmt", "/vms")];
    for separated in [Some(true), None] {
        assert_eq!(
            grants(&missing, None, &subject(separated), &held),
            ["pveum acl modify /vms --users lxcd@pve --tokens 'lxcd@pve!cli' --roles PVEVMUser"]
        );
    }
}

#[test]
fn nothing_that_is_held_is_lost_by_an_entry_of_its_own() {
    // The user's odd role counts on /vms, the auditor's privileges there are all in the new role.
    let held = permissions(&[("/", &["VM.Audit", "VM.Odd", "Sys.Audit"])]);
    let missing = [need("VM.PowerMgmt", "/vms")];
    let acl = acl(&[
        ("/", "user", "lxcd@pve", "Odd"),
        ("/", "token", "lxcd@pve!cli", "PVEAuditor"),
        ("/", "token", "lxcd@pve!cli", "Storekeeper"),
        ("/", "user", "somebody@pve", "Storekeeper"),
    ]);
    let lines = grants(&missing, Some(&acl), &subject(Some(true)), &held);
    assert_eq!(lines, ["pveum acl modify /vms --users lxcd@pve --tokens 'lxcd@pve!cli' --roles PVEVMAdmin"]);
    // A storage role stays where storages are granted.
    let missing = [need("Datastore.AllocateSpace", "/storage")];
    let held = permissions(&[("/", &["VM.Audit"])]);
    let lines = grants(&missing, Some(&acl), &subject(Some(true)), &held);
    assert!(lines[0].ends_with("--roles PVEDatastoreUser,Storekeeper"), "{lines:?}");
}

#[test]
fn the_deepest_entry_decides() {
    let acl = acl(&[
        ("/", "user", "lxcd@pve", "PVEVMAdmin"),
        ("/vms", "user", "lxcd@pve", "PVEAuditor"),
        ("/vms/104", "user", "lxcd@pve", "Odd"),
    ]);
    assert_eq!(acl.roles_at("user", "lxcd@pve", "/vms"), Some(("/vms", vec!["PVEAuditor"])));
    assert_eq!(acl.roles_at("user", "lxcd@pve", "/storage"), Some(("/", vec!["PVEVMAdmin"])));
    assert_eq!(acl.roles_at("user", "lxcd@pve", "/vmsx"), Some(("/", vec!["PVEVMAdmin"])));
    assert_eq!(acl.roles_at("token", "lxcd@pve", "/vms"), None);
}

#[test]
fn a_token_without_any_rights_gets_the_line_of_the_first_contact() {
    let nothing = Permissions::default();
    let missing: Vec<Need> = stand(&nothing).into_iter().flat_map(|one| one.missing).collect();
    assert_eq!(refused(&missing), ["create", "delete", "list", "power"]);
    assert_eq!(
        grants(&missing, None, &subject(Some(false)), &nothing),
        ["pveum acl modify / --users lxcd@pve --roles PVEVMAdmin,PVEAuditor"]
    );
}

#[test]
fn rights_on_a_pool_are_rights() {
    let held = permissions(&[("/pool/web", &["VM.Audit", "VM.PowerMgmt"]), ("/nodes", &["Sys.Audit"])]);
    let all = stand(&held);
    assert_eq!(all[0].held, ["VM.Audit on /pool/web", "Sys.Audit", "VM.PowerMgmt on /pool/web"]);
    assert_eq!(all[1].missing, [need("VM.Allocate", "/vms")]);
}

#[test]
fn what_only_creating_lacks_is_told_and_no_fault() {
    let held = permissions(&[("/", &["VM.Audit", "Sys.Audit", "VM.PowerMgmt", "VM.Allocate"])]);
    let all = stand(&held);
    assert_eq!(all.last().unwrap().activities, ["create"]);
    assert!(all.iter().all(|one| one.missing.is_empty()));
    let blind = permissions(&[("/", &["VM.Audit"])]);
    assert_eq!(stand(&blind)[0].wanting, [LOOK]);
}

#[test]
fn what_only_a_download_lacks_is_told_to_who_creates() {
    let disk = ["Datastore.AllocateSpace", "Datastore.Audit"];
    let vm: Vec<&str> =
        ACTIVITIES[..4].iter().flat_map(|(_, needs)| *needs).map(|need| need.privilege).collect();
    let held = permissions(&[("/", &vm), ("/storage", &disk)]);
    let all = stand(&held);
    let last = all.last().unwrap();
    assert_eq!(last.activities, ["download"]);
    assert_eq!(last.wanting, [need("Datastore.AllocateTemplate", "/storage")]);
    assert_eq!(
        grants(&last.wanting, None, &subject(Some(false)), &held),
        ["pveum acl modify /storage --users lxcd@pve --roles PVEDatastoreAdmin"]
    );
    let held =
        permissions(&[("/", &vm), ("/storage", &["Datastore.AllocateSpace", "Datastore.AllocateTemplate"])]);
    assert_eq!(stand(&held)[0].activities, ["list", "power", "delete", "create", "download"]);
}
