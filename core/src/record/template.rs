//! Templates and buckets as they are kept: what is in them, and who changed it when.

use crate::ids::Micros;
use crate::template::{PackageList, Policy, Settings, Template};

/// One template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRecord {
    /// What it says.
    pub template: Template,
    /// Goes up with every change; 1 = as it was first imported.
    pub revision: i64,
    /// Who changed it last, by name.
    pub author: String,
    /// When it was first imported.
    pub created: Micros,
    /// When it was changed last.
    pub changed: Micros,
}

/// One template without the contents of its scripts and files: what a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateOutline {
    /// Its name.
    pub name: String,
    /// What template.conf says.
    pub settings: Settings,
    /// In the order they run in.
    pub scripts: Vec<ScriptOutline>,
    /// By name.
    pub files: Vec<FileOutline>,
    /// By name, then manager.
    pub packages: Vec<PackageList>,
    /// Goes up with every change.
    pub revision: i64,
    /// Who changed it last, by name.
    pub author: String,
    /// When it was first imported.
    pub created: Micros,
    /// When it was changed last.
    pub changed: Micros,
}

/// A script of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptOutline {
    /// `20-nodejs.sh`
    pub name: String,
    /// Its place in the order.
    pub number: u32,
    /// Bytes.
    pub size: u64,
}

/// A file of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOutline {
    /// Its name.
    pub name: String,
    /// The directory it goes to.
    pub directory: String,
    /// What happens to one that is there.
    pub policy: Policy,
    /// May be executed there.
    pub executable: bool,
    /// Bytes.
    pub size: u64,
}

impl From<&TemplateRecord> for TemplateOutline {
    fn from(record: &TemplateRecord) -> Self {
        let Template { name, settings, scripts, files, packages } = record.template.clone();
        let script = |script: crate::template::Script| ScriptOutline {
            name: script.name,
            number: script.number,
            size: script.text.len() as u64,
        };
        let file = |file: crate::template::File| FileOutline {
            name: file.name,
            directory: file.directory,
            policy: file.policy,
            executable: file.executable,
            size: file.text.len() as u64,
        };
        Self {
            name,
            settings,
            scripts: scripts.into_iter().map(script).collect(),
            files: files.into_iter().map(file).collect(),
            packages,
            revision: record.revision,
            author: record.author.clone(),
            created: record.created,
            changed: record.changed,
        }
    }
}

/// One bucket: package lists to choose for templates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRecord {
    /// Its name.
    pub name: String,
    /// By manager; each is called as the bucket.
    pub lists: Vec<PackageList>,
    /// Goes up with every change; 1 = as it was made.
    pub revision: i64,
    /// Who changed it last, by name.
    pub author: String,
    /// When it was made.
    pub created: Micros,
    /// When it was changed last.
    pub changed: Micros,
}
