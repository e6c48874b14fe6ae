//! A container as it is, against wishes that fit it and wishes that do not.

use super::super::spec::tests::spec;
use super::*;
use crate::ids::OperationId;

/// What Proxmox makes of a spec, as it tells it afterwards.
fn config(spec: &Spec) -> Config {
    let mut config = Config { values: spec.parameters(114, OperationId::generate()).into_iter().collect() };
    config.values.insert("rootfs".into(), "local-lvm:vm-114-disk-0,size=8G".into());
    config
}

fn compare(wish: &Wish, change: impl FnOnce(&mut Spec)) -> Option<String> {
    let made = Spec { template: None, ..spec() };
    let mut wished = made.clone();
    change(&mut wished);
    let file = Wish::default();
    let config = config(&made);
    let image = Some(made.image.as_str());
    let there = There { node: "pve1", vmid: 114, template: None, pool: None, image, config: &config };
    difference(&Layers { flags: wish, file: &file, template: None }, &wished, &there)
}

#[test]
fn what_nobody_wished_is_not_compared() {
    assert_eq!(compare(&Wish::default(), |spec| spec.memory_mb = 4096), None);
    let same = Wish {
        image: Some("debian-12".into()),
        memory_mb: Some(2048),
        disk_gb: Some(8),
        storage: Some("local-lvm".into()),
        tags: Some(vec!["Node".into(), "web".into()]),
        ip: Some("dhcp".into()),
        ip6: Some("none".into()),
        nesting: Some(true),
        node: Some("auto".into()),
        vmid: Some("114".into()),
        ..Wish::default()
    };
    assert_eq!(compare(&same, |spec| spec.tags = vec!["Node".into(), "web".into()]), None);
}

/// What is said, how it settles, and the words of the difference.
type Case = (Wish, fn(&mut Spec), &'static str);

#[test]
fn the_first_difference_is_named() {
    let of = Wish::default;
    let none: fn(&mut Spec) = |_| {};
    let cases: [Case; 12] = [
        (Wish { memory_mb: Some(1024), ..of() }, |s| s.memory_mb = 1024, "memory 2.0Gi, 1.0Gi was"),
        (Wish { cores: Some(4), ..of() }, |s| s.cores = 4, "cores 2, 4 was"),
        (Wish { disk_gb: Some(9), ..of() }, |s| s.disk_gb = 9, "disk 8.0Gi, 9.0Gi was"),
        (Wish { node: Some("pve2".into()), ..of() }, none, "node pve1, pve2 was"),
        (Wish { vmid: Some("115".into()), ..of() }, none, "vmid 114, 115 was"),
        (Wish { image: Some("debian-13".into()), ..of() }, none, "debian-13 was"),
        (of(), |s| s.template = Some("web".into()), "no template, web was"),
        (of(), |s| s.network.vlan = Some(20), "no vlan, 20 was"),
        (
            Wish { ip: Some("10.0.0.5/24".into()), ..of() },
            |s| s.network.ip = parse_ip("10.0.0.5/24").unwrap(),
            "ip dhcp, 10.0.0.5/24 was",
        ),
        (Wish { tags: Some(vec!["db".into()]), ..of() }, |s| s.tags = vec!["db".into()], "node;web, db was"),
        (Wish { nesting: Some(false), ..of() }, |s| s.features.nesting = false, "nesting yes, no was"),
        (Wish { onboot: Some(true), ..of() }, |s| s.onboot = true, "onboot no, yes was"),
    ];
    for (wish, change, words) in cases {
        let said = compare(&wish, change).unwrap();
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn one_that_is_being_made_is_compared_by_what_proxmox_was_given() {
    let spec = spec();
    let config = Config { values: spec.parameters(114, OperationId::generate()).into_iter().collect() };
    let wish = Wish { disk_gb: Some(8), template: spec.template.clone(), ..Wish::default() };
    let file = Wish::default();
    let layers = Layers { flags: &wish, file: &file, template: None };
    let template = spec.template.as_deref();
    let there = There { node: "pve1", vmid: 114, template, pool: None, image: None, config: &config };
    assert_eq!(difference(&layers, &spec, &there), None);
}
