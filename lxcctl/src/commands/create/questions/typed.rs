//! The command line that says what was answered. Pure.

use lxc_core::create::Wish;

/// `2G` where it is whole gibibytes, `512M` else: as the flags take it.
pub(super) fn mebibytes(amount: u64) -> String {
    if amount > 0 && amount.is_multiple_of(1024) {
        format!("{}G", amount / 1024)
    } else {
        format!("{amount}M")
    }
}

/// `8G`
pub(super) fn gibibytes(amount: u64) -> String {
    format!("{amount}G")
}

/// What has to be typed on top of `before` to wish `after`.
pub(super) fn words(before: &Wish, after: &Wish) -> Vec<String> {
    let mut words = Vec::new();
    if before.name.is_none() {
        words.extend(after.name.clone());
    }
    let pairs = [
        ("--template", &before.template, after.template.clone()),
        ("--image", &before.image, after.image.clone()),
        ("--node", &before.node, after.node.clone()),
        ("--cores", &text(before.cores), text(after.cores)),
        ("--memory", &before.memory_mb.map(mebibytes), after.memory_mb.map(mebibytes)),
        ("--swap", &before.swap_mb.map(mebibytes), after.swap_mb.map(mebibytes)),
        ("--disk", &before.disk_gb.map(gibibytes), after.disk_gb.map(gibibytes)),
        ("--storage", &before.storage, after.storage.clone()),
        ("--bridge", &before.bridge, after.bridge.clone()),
        ("--ip", &before.ip, after.ip.clone()),
        ("--gateway", &text(before.gateway), text(after.gateway)),
    ];
    for (flag, before, after) in pairs {
        if let (None, Some(value)) = (before, after) {
            words.extend([flag.to_owned(), value]);
        }
    }
    if before.download.is_none() && after.download == Some(true) {
        words.push("--download".to_owned());
    }
    if before.without.is_none() {
        for piece in after.without.iter().flatten() {
            words.extend(["--without".to_owned(), piece.clone()]);
        }
    }
    words
}

fn text<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn what_is_typed_wishes_the_same() {
        let before = Wish { cores: Some(2), ..Wish::default() };
        let after = Wish {
            name: Some("web-7".into()),
            template: Some("web-node".into()),
            image: Some("debian-12".into()),
            download: Some(true),
            node: Some("pve2".into()),
            memory_mb: Some(1536),
            swap_mb: Some(0),
            disk_gb: Some(16),
            storage: Some("local-lvm".into()),
            bridge: Some("vmbr1".into()),
            ip: Some("10.0.0.5/24".into()),
            gateway: Some([10, 0, 0, 1].into()),
            without: Some(vec!["packages:base.apt".into(), "script:30-app.sh".into()]),
            ..before.clone()
        };
        let line = ["lxcctl", "create", "--cores", "2"].map(str::to_owned).into_iter();
        let Command::Create(args) = Cli::try_parse_from(line.chain(words(&before, &after))).unwrap().command
        else {
            panic!("a create")
        };
        assert_eq!(super::super::super::wish(&args).unwrap(), after);
        assert_eq!(
            (mebibytes(2048), mebibytes(512), mebibytes(0)),
            ("2G".into(), "512M".into(), "0M".into())
        );
    }
}
