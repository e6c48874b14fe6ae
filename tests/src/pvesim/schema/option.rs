//! The container options: parameters of create and of config PUT, with their property strings.
//!
//! Owns declarations only.

use super::Kind::{Bool, Int, Num, Str};
use super::{Param, opt, req};

const MOUNT_OPTIONS: Param = opt("mountoptions", Str).pattern();

/// Properties of `rootfs`.
pub const ROOTFS: &[Param] = &[
    opt("acl", Bool),
    MOUNT_OPTIONS,
    opt("quota", Bool),
    opt("replicate", Bool),
    opt("ro", Bool),
    opt("shared", Bool),
    opt("size", Str).named("disk-size"),
    req("volume", Str).named("pve-lxc-mp-string").default_key(),
];

/// Properties of `mpN`.
pub const MOUNT_POINT: &[Param] = &[
    opt("acl", Bool),
    opt("backup", Bool),
    opt("keepattrs", Bool),
    MOUNT_OPTIONS,
    req("mp", Str).named("pve-lxc-mp-string"),
    opt("quota", Bool),
    opt("replicate", Bool),
    opt("ro", Bool),
    opt("shared", Bool),
    opt("size", Str).named("disk-size"),
    req("volume", Str).named("pve-lxc-mp-string").default_key(),
];

/// Properties of `netN`.
pub const NET: &[Param] = &[
    opt("bridge", Str).pattern(),
    opt("firewall", Bool),
    opt("gw", Str).named("ipv4"),
    opt("gw6", Str).named("ipv6"),
    opt("host-managed", Bool),
    opt("hwaddr", Str).named("mac-addr"),
    opt("ip", Str).named("pve-ipv4-config"),
    opt("ip6", Str).named("pve-ipv6-config"),
    opt("link_down", Bool),
    opt("mtu", Int).range(64, 65535),
    req("name", Str).pattern(),
    opt("rate", Num),
    opt("tag", Int).range(1, 4094),
    opt("trunks", Str).pattern(),
    opt("type", Str).choices(&["veth"]),
];

/// Properties of `features`.
pub const FEATURES: &[Param] = &[
    opt("force_rw_sys", Bool),
    opt("fuse", Bool),
    opt("keyctl", Bool),
    opt("mknod", Bool),
    opt("mount", Str).pattern(),
    opt("nesting", Bool),
];

/// Properties of `devN`.
pub const DEVICE: &[Param] = &[
    opt("deny-write", Bool),
    opt("gid", Int).min(0),
    opt("mode", Str).pattern(),
    opt("path", Str).named("pve-lxc-dev-string").default_key(),
    opt("uid", Int).min(0),
];

/// Properties of `unusedN`.
pub const UNUSED: &[Param] = &[req("volume", Str).named("pve-volume-id").default_key()];

const LOCKS: &[&str] = &[
    "backup",
    "create",
    "destroyed",
    "disk",
    "fstrim",
    "migrate",
    "mounted",
    "rollback",
    "snapshot",
    "snapshot-delete",
];

const OS_TYPES: &[&str] = &[
    "debian",
    "devuan",
    "ubuntu",
    "centos",
    "fedora",
    "opensuse",
    "archlinux",
    "alpine",
    "gentoo",
    "nixos",
    "unmanaged",
];

/// The node in the path.
pub const NODE: Param = req("node", Str).named("pve-node");
/// The container in the path.
pub const VMID: Param = req("vmid", Int).named("pve-vmid").range(100, 999_999_999);

const OPTIONS: [Param; 32] = [
    NODE,
    VMID,
    opt("arch", Str).choices(&["amd64", "i386", "arm64", "armhf", "riscv32", "riscv64"]),
    opt("cmode", Str).choices(&["shell", "console", "tty"]),
    opt("console", Bool),
    opt("cores", Int).range(1, 8192),
    opt("cpulimit", Num).range(0, 8192),
    opt("cpuunits", Int).range(0, 500_000),
    opt("debug", Bool),
    opt("description", Str).max_len(8192),
    opt("dev[n]", Str).nested(DEVICE),
    opt("entrypoint", Str).pattern(),
    opt("env", Str).pattern(),
    opt("features", Str).nested(FEATURES),
    opt("hookscript", Str).named("pve-volume-id"),
    opt("hostname", Str).named("dns-name").max_len(255),
    opt("lock", Str).choices(LOCKS),
    opt("memory", Int).min(16),
    opt("mp[n]", Str).nested(MOUNT_POINT),
    opt("nameserver", Str).named("lxc-ip-with-ll-iface-list"),
    opt("net[n]", Str).nested(NET),
    opt("onboot", Bool),
    opt("ostype", Str).choices(OS_TYPES),
    opt("protection", Bool),
    opt("rootfs", Str).nested(ROOTFS),
    opt("searchdomain", Str).named("dns-name-list"),
    opt("startup", Str).named("pve-startup-order"),
    opt("swap", Int).min(0),
    opt("tags", Str).named("pve-tag-list"),
    opt("template", Bool),
    opt("timezone", Str).named("pve-ct-timezone"),
    opt("tty", Int).range(0, 6),
];

const LAST: [Param; 2] = [opt("unprivileged", Bool), opt("unused[n]", Str).nested(UNUSED)];

/// Parameters of `POST /nodes/{node}/lxc`.
pub const CREATE: &[Param] = &join::<32, 14, 46>(
    OPTIONS,
    [
        LAST[0],
        LAST[1],
        opt("bwlimit", Num).min(0),
        opt("force", Bool),
        opt("ha-managed", Bool),
        opt("ignore-unpack-errors", Bool),
        req("ostemplate", Str).max_len(255),
        opt("password", Str).min_len(5),
        opt("pool", Str).named("pve-poolid"),
        opt("restore", Bool),
        opt("ssh-public-keys", Str),
        opt("start", Bool),
        opt("storage", Str).named("pve-storage-id"),
        opt("unique", Bool).requires("restore"),
    ],
);

/// Parameters of `PUT /nodes/{node}/lxc/{vmid}/config`.
pub const CONFIG_PUT: &[Param] = &join::<32, 5, 37>(
    OPTIONS,
    [
        LAST[0],
        LAST[1],
        opt("delete", Str).named("pve-configid-list"),
        opt("digest", Str).max_len(40),
        opt("revert", Str).named("pve-configid-list"),
    ],
);

const fn join<const A: usize, const B: usize, const N: usize>(a: [Param; A], b: [Param; B]) -> [Param; N] {
    let mut all = [a[0]; N];
    let mut i = 0;
    while i < N {
        all[i] = if i < A { a[i] } else { b[i - A] };
        i += 1;
    }
    all
}
