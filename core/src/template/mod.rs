//! Templates: what a directory of them says, read and never executed; written back to the same files; compared with
//! another. Owns the format and its limits; must not know where the files are nor how templates are stored.

pub mod bucket;
mod conf;
mod custom;
mod difference;
mod fault;
mod files;
mod filter;
mod packages;
mod page;
mod read;
mod scripts;
mod shell;
mod spec;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use custom::Custom;
pub use difference::{Change, How, difference, list_changes};
pub use fault::{Fault, refused, too_large};
pub use filter::Filter;
pub use page::{Page, blank_page, read_lists, read_page, write_lists, write_page};
pub use read::{Outline, outline, package_lists, read};
pub use scripts::timeouts;
pub use spec::name_of;
pub use write::write;

/// The file that makes a directory a template.
pub const CONF: &str = "template.conf";
/// Folder of the scripts.
pub const SCRIPTS: &str = "container-configs/scripts";
/// Folder of the files.
pub const FILES: &str = "container-configs/files";
/// Folder of the package lists.
pub const PACKAGES: &str = "container-configs/packages";

/// Bytes of template.conf, a package list or a sidecar.
pub const LARGEST_LIST: u64 = 64 << 10;
/// Bytes of a script or a file.
pub const LARGEST_FILE: u64 = 1 << 20;
/// Bytes of all files of a template together.
pub const LARGEST_TEMPLATE: u64 = 8 << 20;
/// Files of a template, sidecars among them.
pub const MOST_FILES: usize = 1_000;

/// Seconds a script or a custom installation may ask for.
pub const LONGEST_TIME: u64 = 24 * 60 * 60;
/// Cores of a container.
pub const MOST_CORES: u32 = 8_192;
/// The smallest memory a container can be given, MiB (api-schema: memory, minimum 16).
pub const LEAST_MEMORY_MB: u32 = 16;
/// The most of it, so that no figure overflows: 16 TiB.
pub const MOST_MEMORY_MB: u32 = 16 << 20;
/// The largest disk, GiB: 64 TiB.
pub const LARGEST_DISK_GB: u32 = 64 << 10;

/// One file of a template's directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// What is in it.
    pub content: Vec<u8>,
    /// Its owner may execute it.
    pub executable: bool,
}

/// The files of a template's directory by their path in it.
pub type Sources = BTreeMap<String, Source>;

/// What a container is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its name: TEMPLATE_APP, or what its directory is called.
    pub name: String,
    /// The rest of template.conf.
    pub settings: Settings,
    /// In the order they run in.
    pub scripts: Vec<Script>,
    /// By name.
    pub files: Vec<File>,
    /// By name, then manager.
    pub packages: Vec<PackageList>,
}

/// What template.conf says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// In words; may be empty.
    pub description: String,
    /// None twice.
    pub tags: Vec<String>,
    /// `debian`
    pub os: String,
    /// `13`; empty = the newest there is.
    pub version: String,
    /// Cores.
    pub cpu: u32,
    /// Memory.
    pub ram_mb: u32,
    /// Root disk.
    pub disk_gb: u32,
    /// Its root is nobody on the node.
    pub unprivileged: bool,
    /// May run containers itself.
    pub nesting: bool,
    /// May use keyctl().
    pub keyctl: bool,
    /// May mount with FUSE.
    pub fuse: bool,
}

/// One script of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// `20-nodejs.sh`
    pub name: String,
    /// Its place in the order.
    pub number: u32,
    /// What is run.
    pub text: String,
}

/// One file that is put into the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, here and there.
    pub name: String,
    /// The directory it goes to, absolute.
    pub directory: String,
    /// What happens to one that is there.
    pub policy: Policy,
    /// May be executed there.
    pub executable: bool,
    /// What is in it.
    pub text: String,
}

/// Named packages of one manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageList {
    /// Its name, without the manager.
    pub name: String,
    /// Who installs them.
    pub manager: Manager,
    /// As they are written: a package with its version, or a line of a custom list.
    pub items: Vec<String>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $unknown:literal: $($(#[$item:meta])* $variant:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$item])* $variant,)*
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Unknown;

            fn from_str(text: &str) -> Result<Self, Unknown> {
                let found = Self::ALL.iter().copied().find(|one| one.as_str() == text);
                found.ok_or_else(|| Unknown { what: $unknown, text: text.to_owned() })
            }
        }
    };
}

/// A word that is none of those it has to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}")]
pub struct Unknown {
    what: &'static str,
    text: String,
}

words! {
    /// What happens to a file that is there already.
    Policy, "policy":
    /// It is replaced.
    Replace = "replace",
    /// It is kept.
    Default = "default",
    /// It is moved aside, with a timestamp.
    Backup = "backup",
}

words! {
    /// Who installs packages.
    Manager, "package manager":
    /// Debian and Ubuntu.
    Apt = "apt",
    /// Alpine.
    Apk = "apk",
    /// Fedora and its relatives.
    Dnf = "dnf",
    /// Node.js, globally.
    Npm = "npm",
    /// Python.
    Pip = "pip",
    /// Commands of one's own.
    Custom = "custom",
}

/// Whether this can be what a template, a list or a file is called: no path, no option, nothing hidden in it.
fn is_name(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    text.len() <= 63 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(word)
}

/// What names look like, for whoever wrote another.
const NAMES: &str =
    "a name has at most 63 letters, digits, dots, dashes and underscores and begins with a letter or digit";
