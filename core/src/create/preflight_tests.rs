//! A site that has everything, and what is said when each thing is missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::download::Download;
use super::super::site::Storage;
use super::super::spec::Phase;
use super::super::wish::{Origin, Wish};
use super::*;
use crate::ids::Installation;
use crate::picture::{Entry, Freshness};
use crate::pve::{Live, Permissions, Power};
use crate::record::ContainerRecord;

const ALL: [&str; 10] = [
    "VM.Allocate",
    "VM.PowerMgmt",
    "VM.Audit",
    "VM.Config.CPU",
    "VM.Config.Memory",
    "VM.Config.Disk",
    "VM.Config.Network",
    "VM.Config.Options",
    "Datastore.AllocateSpace",
    "SDN.Use",
];

fn permissions(names: &[&str]) -> Permissions {
    let root = names.iter().map(|name| ((*name).to_owned(), true)).collect();
    Permissions { paths: BTreeMap::from([("/".to_owned(), root)]) }
}

fn site() -> Site {
    let storage = |name: &str, content: &[&str], gb: u64| Storage {
        name: name.into(),
        content: content.iter().map(|one| (*one).to_owned()).collect(),
        active: true,
        available: Some(gb << 30),
    };
    Site {
        remote: "homelab".into(),
        node: "pve2".into(),
        node_chosen: Some("pve2 has most free memory (21Gi)".into()),
        node_trouble: None,
        vmid: 114,
        vmid_taken: None,
        volumes: vec!["local:vztmpl/debian-12-standard_12.11-1_amd64.tar.zst".into()],
        downloads: vec!["alpine-3.20-default_20240908_amd64.tar.xz".into()],
        storages: vec![
            storage("local", &["vztmpl", "iso"], 900),
            storage("local-lvm", &["rootdir", "images"], 100),
        ],
        bridges: Some(vec!["vmbr0".into(), "vmbr1".into()]),
        pools: Some(vec!["ci".into()]),
        bridges_guarded: true,
        permissions: Some(permissions(&ALL)),
        root: false,
        others: vec![Arc::new(Entry::new(web_1(), Freshness::Live))],
        ssh_trouble: None,
    }
}

fn web_1() -> ContainerRecord {
    let here = Installation("ab".into());
    ContainerRecord {
        name: Some("web-1".into()),
        ips: vec!["10.0.0.14".into()],
        ..ContainerRecord::seen(&here, "pve1", Live::bare(104, Power::Running), 0)
    }
}

fn wish() -> Wish {
    Wish { name: Some("web-7".into()), image: Some("debian-12".into()), ..Wish::default() }
}

fn run(wish: &Wish, site: &Site) -> Preflight {
    let file = Wish::default();
    preflight(&Layers { flags: wish, file: &file, template: None }, site, vec![Part::Reach])
}

fn code(wish: &Wish, site: &Site) -> Option<Code> {
    run(wish, site).refusal().map(|error| error.code)
}

#[test]
fn settles_every_value_and_says_where_it_comes_from() {
    let done = run(&Wish { cores: Some(2), ..wish() }, &site());
    assert_eq!(done.refusal(), None);
    assert_eq!(done.spec.storage, "local-lvm", "the only one that takes root disks");
    assert_eq!(done.spec.image, "local:vztmpl/debian-12-standard_12.11-1_amd64.tar.zst");
    let of = |name: &str| {
        let one = done.settings.iter().find(|setting| setting.name == name).unwrap();
        (one.value.as_str(), one.origin)
    };
    assert_eq!(of("cores"), ("2", Origin::Flag));
    assert_eq!(of("memory"), ("512Mi", Origin::Default));
    assert_eq!(of("node"), ("pve2", Origin::Chosen));
    assert_eq!(of("storage"), ("local-lvm", Origin::Chosen));
}

#[test]
fn each_thing_that_is_missing_is_refused_with_its_code() {
    assert_eq!(code(&wish(), &site()), None);
    let name = Wish { name: Some("web-1".into()), ..wish() };
    assert_eq!(code(&name, &site()), Some(Code::NameTaken));
    assert_eq!(code(&wish(), &Site { vmid_taken: Some("a VM".into()), ..site() }), Some(Code::VmidTaken));
    for image in ["debian-13", "alpine-3.20", "local:vztmpl/gone.tar.zst"] {
        let wish = Wish { image: Some(image.into()), ..wish() };
        assert_eq!(code(&wish, &site()), Some(Code::NoImage), "{image}");
    }
    assert_eq!(code(&Wish { image: None, ..wish() }, &site()), Some(Code::Usage));
    for storage in ["local", "nosuch"] {
        let wish = Wish { storage: Some(storage.into()), ..wish() };
        assert_eq!(code(&wish, &site()), Some(Code::StorageUnfit), "{storage}");
    }
    assert_eq!(code(&Wish { disk_gb: Some(101), ..wish() }, &site()), Some(Code::StorageUnfit));
    assert_eq!(code(&Wish { bridge: Some("vmbr9".into()), ..wish() }, &site()), Some(Code::NetworkUnfit));
    assert_eq!(code(&Wish { ip: Some("10.0.0.14/24".into()), ..wish() }, &site()), Some(Code::NetworkUnfit));
    assert_eq!(code(&Wish { fuse: Some(true), ..wish() }, &site()), Some(Code::FeatureRefused));
    assert_eq!(code(&Wish { fuse: Some(true), ..wish() }, &Site { root: true, ..site() }), None);
    assert_eq!(code(&Wish { nesting: Some(true), ..wish() }, &site()), None);
    let poor = Site { permissions: Some(permissions(&["VM.Audit"])), ..site() };
    assert_eq!(code(&wish(), &poor), Some(Code::LacksPrivilege));
}

#[test]
fn each_privilege_that_is_missing_is_named_with_its_path() {
    for missing in ALL {
        let held: Vec<&str> = ALL.into_iter().filter(|name| *name != missing).collect();
        let poor = Site { permissions: Some(permissions(&held)), ..site() };
        let done = run(&wish(), &poor);
        let error = done.refusal().unwrap();
        let path = match missing {
            "SDN.Use" => "/sdn/zones/localnetwork/vmbr0",
            "Datastore.AllocateSpace" => "/storage",
            _ => "/vms",
        };
        assert_eq!(
            (error.code, &error.why[0]),
            (Code::LacksPrivilege, &format!("it lacks {missing} on {path}"))
        );
        let old = Site { bridges_guarded: false, ..poor };
        assert_eq!(
            run(&wish(), &old).refusal().is_none(),
            missing == "SDN.Use",
            "Proxmox VE 7 asks for none"
        );
    }
}

#[test]
fn a_pool_is_refused_only_where_it_would_be_seen() {
    let pooled = |pool: &str| Wish { pool: Some(pool.into()), ..wish() };
    let mut seeing = ALL.to_vec();
    seeing.push("Pool.Audit");
    let seeing = Site { permissions: Some(permissions(&seeing)), ..site() };
    let verdict = |wish: &Wish, site: &Site| {
        let done = run(wish, site);
        let check = done.checks.into_iter().find(|check| check.name == "pool");
        check.map(|check| check.verdict)
    };
    assert_eq!(verdict(&wish(), &seeing), None, "nobody asked for one");
    assert_eq!(verdict(&pooled("ci"), &site()), Some(Verdict::Ok));
    assert_eq!(code(&pooled("gone"), &seeing), Some(Code::NoPool));
    assert_eq!(verdict(&pooled("gone"), &site()), Some(Verdict::Warning), "it may be there, unseen");
    assert_eq!(verdict(&pooled("ci"), &Site { pools: None, ..seeing }), Some(Verdict::Warning));
}

#[test]
fn nesting_is_on_unless_it_is_privileged_or_somebody_says_no() {
    let nesting = |wish: Wish| {
        let done = run(&wish, &Site { root: true, ..site() });
        let one = done.settings.iter().find(|setting| setting.name == "nesting").cloned().unwrap();
        (done.spec.features.nesting, one.value, one.origin)
    };
    assert_eq!(nesting(wish()), (true, "yes".to_owned(), Origin::Default));
    assert!(!nesting(Wish { unprivileged: Some(false), ..wish() }).0);
    assert_eq!(nesting(Wish { nesting: Some(false), ..wish() }), (false, "no".to_owned(), Origin::Flag));
}

#[test]
fn without_a_template_a_node_that_cannot_be_entered_is_no_reason_to_refuse() {
    let error = Error::new(Code::NoSsh, "no")
        .because("no SSH access is set up")
        .hint_noted("lxcctl remote set lab", "if it is yours");
    let mute = Site { ssh_trouble: Some(error), ..site() };
    let done = run(&wish(), &mute);
    assert_eq!((done.refusal(), done.spec.parts.len()), (None, 0));
    let said = &done.warnings[0];
    let way = "no SSH access is set up; try lxcctl remote set lab (if it is yours)";
    assert!(said.ends_with(way), "not without what it takes: {said}");
    let asked = Wish { stop_after: Some(Phase::Deploy), ..wish() };
    assert_eq!(code(&asked, &mute), Some(Code::NoSsh), "what was asked for is not left out");
    let done = run(&wish(), &site());
    assert_eq!((done.spec.parts.len(), done.warnings.len()), (1, 0));
}

const ALPINE: &str = "alpine-3.20-default_20240908_amd64.tar.xz";

fn alpine(download: Option<bool>) -> Wish {
    Wish { image: Some("alpine-3.20".into()), download, ..wish() }
}

#[test]
fn an_image_that_can_be_had_is_offered() {
    let commands = |wish: &Wish, site: &Site| -> Vec<String> {
        run(wish, site).refusal().unwrap().tries.iter().map(|hint| hint.command.clone()).collect()
    };
    let by_hand = format!("pveam download local {ALPINE}");
    assert_eq!(commands(&alpine(None), &site()), ["{line} --download", &by_hand]);
    assert_eq!(commands(&alpine(Some(false)), &site()), ["{line} --download", &by_hand]);
    let gentoo = Wish { image: Some("gentoo".into()), download: Some(true), ..wish() };
    assert_eq!(commands(&gentoo, &site()), ["pveam update && pveam available --section system"]);
    // Nowhere to put it.
    let mut full = site();
    full.storages.retain(|storage| storage.name != "local");
    full.volumes.clear();
    assert_eq!(commands(&alpine(Some(true)), &full), ["pvesm status --content vztmpl"]);
    let why = run(&alpine(Some(true)), &full).refusal().unwrap().why.join("; ");
    assert!(why.contains("no storage of pve2 takes OS images (vztmpl)"), "{why}");
    let elsewhere = Wish { image: Some(format!("local-lvm:vztmpl/{ALPINE}")), ..alpine(Some(true)) };
    assert_eq!(commands(&elsewhere, &site()), ["pvesm status --content vztmpl"]);
}

#[test]
fn an_image_that_is_wished_and_not_there_is_downloaded_first() {
    let mut rich = ALL.to_vec();
    rich.push("Datastore.AllocateTemplate");
    let rich = Site { permissions: Some(permissions(&rich)), ..site() };
    let done = run(&alpine(Some(true)), &rich);
    assert_eq!(done.refusal(), None);
    let wanted = Download { storage: "local".into(), file: ALPINE.into() };
    assert_eq!((done.spec.image, done.spec.download), (wanted.volume(), Some(wanted)));
    let setting = done.settings.iter().find(|one| one.name == "download").unwrap();
    assert_eq!((setting.value.as_str(), setting.origin), (&*format!("{ALPINE} to local"), Origin::Flag));
    let check = done.checks.iter().find(|check| check.name == "image").unwrap();
    assert_eq!(check.detail, format!("{ALPINE} is downloaded to local first"));
    let error = run(&alpine(Some(true)), &site()).refusal().cloned().unwrap();
    assert_eq!(error.code, Code::LacksPrivilege);
    assert_eq!(error.why[0], "it lacks Datastore.AllocateTemplate on /storage");
    // The first storage on which we may.
    let mut two = site();
    let local = two.storages.iter().find(|storage| storage.name == "local").cloned().unwrap();
    two.storages.push(Storage { name: "nas".into(), ..local });
    if let Some(held) = &mut two.permissions {
        let may = [("Datastore.AllocateTemplate".to_owned(), true)].into();
        held.paths.insert("/storage/nas".into(), may);
    }
    assert_eq!(run(&alpine(Some(true)), &two).spec.download.unwrap().storage, "nas");
    // A whole volume, by its name.
    let whole = Wish { image: Some(format!("local:vztmpl/{ALPINE}")), ..alpine(Some(true)) };
    assert!(run(&whole, &rich).spec.download.is_some());
    // What is there needs none, nor the privilege for it.
    let done = run(&Wish { download: Some(true), ..wish() }, &site());
    assert_eq!((done.refusal(), &done.spec.download), (None, &None));
    assert!(done.settings.iter().all(|one| one.name != "download"));
}
