//! Templates.

use lxc_core::error::Error;
use lxc_proto::v1 as pb;
use serde::{Serialize, Serializer};

use crate::ui::error::ErrorView;
use crate::ui::time::Instant;

/// What containers are made from.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
#[expect(clippy::struct_excessive_bools, reason = "each is a feature of its own")]
pub struct Template {
    pub kind: &'static str,
    pub name: String,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub os: String,
    pub version: Option<String>,
    pub cpu: u32,
    pub memory_bytes: u64,
    pub disk_bytes: u64,
    pub unprivileged: bool,
    pub nesting: bool,
    pub keyctl: bool,
    pub fuse: bool,
    pub scripts: Vec<Script>,
    pub files: Vec<File>,
    pub packages: Vec<Packages>,
    pub revision: i64,
    pub author: String,
    pub created_at: Instant,
    pub changed_at: Instant,
}

/// A script of a template.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Script {
    pub number: u32,
    pub name: String,
    pub size_bytes: u64,
}

/// A file of a template.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct File {
    pub name: String,
    pub directory: String,
    pub policy: String,
    pub executable: bool,
    pub size_bytes: u64,
}

/// A package list of a template.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Packages {
    pub name: String,
    pub manager: String,
    pub items: Vec<String>,
}

/// How the import of one directory went.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct TemplateImport {
    pub kind: &'static str,
    pub directory: String,
    pub name: Option<String>,
    pub result: String,
    pub changed: bool,
    pub changes: Vec<TemplateChange>,
    #[serde(serialize_with = "error_view")]
    pub error: Option<Error>,
    /// For people, who want to know what there is.
    #[serde(skip)]
    pub template: Option<Template>,
}

/// What became of a template that was made or edited.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct SavedTemplate {
    pub kind: &'static str,
    pub result: String,
    pub changed: bool,
    pub changes: Vec<TemplateChange>,
    pub template: Template,
}

/// One part that is not what it was.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct TemplateChange {
    pub part: String,
    pub name: String,
    pub change: String,
    pub detail: Option<String>,
}

fn error_view<S: Serializer>(error: &Option<Error>, serializer: S) -> Result<S::Ok, S::Error> {
    error.as_ref().map(ErrorView::from).serialize(serializer)
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl Template {
    /// `3 scripts, 2 files, 24 packages`
    #[must_use]
    pub fn parts(&self) -> String {
        let counted = |number: usize, what: &str| lxc_core::text::counted(number as u64, what);
        let [scripts, files] = [counted(self.scripts.len(), "script"), counted(self.files.len(), "file")];
        format!("{scripts}, {files}, {}", counted(self.package_count(), "package"))
    }

    /// In all of its lists.
    #[must_use]
    pub fn package_count(&self) -> usize {
        self.packages.iter().map(|list| list.items.len()).sum()
    }

    /// `unprivileged, nesting`
    #[must_use]
    pub fn features(&self) -> String {
        let privilege = if self.unprivileged { "unprivileged" } else { "privileged" };
        let more = [(self.nesting, "nesting"), (self.keyctl, "keyctl"), (self.fuse, "fuse")];
        let more = more.into_iter().filter(|(on, _)| *on).map(|(_, name)| name);
        std::iter::once(privilege).chain(more).collect::<Vec<_>>().join(", ")
    }
}

impl From<pb::Template> for Template {
    fn from(t: pb::Template) -> Self {
        let script = |s: pb::TemplateScript| Script { number: s.number, name: s.name, size_bytes: s.bytes };
        let file = |f: pb::TemplateFile| File {
            name: f.name,
            directory: f.directory,
            policy: f.policy,
            executable: f.executable,
            size_bytes: f.bytes,
        };
        let list = |p: pb::TemplatePackages| Packages { name: p.name, manager: p.manager, items: p.items };
        Self {
            kind: "Template",
            name: t.name,
            description: some(t.description),
            tags: t.tags,
            os: t.os,
            version: some(t.version),
            cpu: t.cpu,
            memory_bytes: t.memory_bytes,
            disk_bytes: t.disk_bytes,
            unprivileged: t.unprivileged,
            nesting: t.nesting,
            keyctl: t.keyctl,
            fuse: t.fuse,
            scripts: t.scripts.into_iter().map(script).collect(),
            files: t.files.into_iter().map(file).collect(),
            packages: t.packages.into_iter().map(list).collect(),
            revision: t.revision,
            author: t.author,
            created_at: Instant(t.created_us),
            changed_at: Instant(t.changed_us),
        }
    }
}

impl TemplateChange {
    /// `cpu 1 to 2`, `script 30-app.sh added`, `packages base.apt changed: -redis +valkey`
    #[must_use]
    pub fn worded(&self) -> String {
        let Self { part, name, change, detail } = self;
        match detail {
            Some(detail) if part == "setting" => format!("{name} {detail}"),
            Some(detail) => format!("{part} {name} {change}: {detail}"),
            None => format!("{part} {name} {change}"),
        }
    }
}

impl From<pb::TemplateChange> for TemplateChange {
    fn from(c: pb::TemplateChange) -> Self {
        Self { part: c.part, name: c.name, change: c.change, detail: some(c.detail) }
    }
}
