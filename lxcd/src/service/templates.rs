//! Templates: importing, looking, exporting, deleting. Owns who may, and that an import that changes nothing writes
//! nothing; what a template's files mean is core's.

use lxc_core::error::{Code, Error, Result};
use lxc_core::record::{TemplateOutline, TemplateRecord};
use lxc_core::template::{self, Change, Filter, Sources};
use lxc_core::text::counted;

use super::access::Caller;
use super::operations::done;
use super::{Services, store_error};

/// How often an import is begun anew when others change the same template meanwhile.
const ATTEMPTS: usize = 5;

/// What is to be imported.
#[derive(Debug)]
pub struct Import {
    /// The files.
    pub sources: Sources,
    /// Their directory as the caller names it, before the files of an error.
    pub shown: String,
    /// What it is called, for a template that does not say its name.
    pub called: String,
    /// Buckets whose lists are copied into it.
    pub buckets: Vec<String>,
    /// What it takes the place of, 0 = nothing; None = whatever is there.
    pub revision: Option<i64>,
    /// Only say what would change.
    pub dry_run: bool,
}

/// How an import went.
#[derive(Debug)]
pub struct Imported {
    /// As it is now.
    pub record: TemplateRecord,
    /// `created`, `changed` or `unchanged`.
    pub result: &'static str,
    /// Against what was there; empty for a new one.
    pub changes: Vec<Change>,
}

impl Services {
    /// Takes a template from the files of its directory; one of that name is replaced as a whole.
    ///
    /// # Errors
    /// LXC0601 for who is no admin, LXC0216 for what is no template, LXC0310 for a bucket that is not there, LXC0406
    /// when it is not the revision that was to be replaced.
    pub async fn import_template(&self, caller: &Caller, mut import: Import) -> Result<Imported> {
        let verb = match import.revision {
            None => "template import",
            Some(0) => "template create",
            Some(_) => "template edit",
        };
        self.access.require_anywhere(caller, verb)?;
        for name in &import.buckets {
            let bucket = self.bucket(name).await?;
            template::bucket::put_into(&mut import.sources, name, &bucket.lists);
        }
        let template = template::read(&import.sources, &import.called)
            .map_err(|faults| template::refused(&faults, &import.shown))?;
        for _ in 0..ATTEMPTS {
            let before = self.template(&template.name).await?;
            let there = before.as_ref().map(|before| (before.revision, before.author.as_str()));
            unchanged_since(import.revision, there, "template", &template.name)?;
            let changes = before
                .as_ref()
                .map_or_else(Vec::new, |before| template::difference(&before.template, &template));
            let result = match &before {
                None => "created",
                Some(_) if changes.is_empty() => "unchanged",
                Some(_) => "changed",
            };
            let now = self.now();
            let record = match before {
                Some(before) if changes.is_empty() => before,
                before => TemplateRecord {
                    template: template.clone(),
                    revision: before.as_ref().map_or(1, |before| before.revision + 1),
                    author: caller.actor.name.clone(),
                    created: before.map_or(now, |before| before.created),
                    changed: now,
                },
            };
            if !import.dry_run && result != "unchanged" {
                let said = match result {
                    "created" => "created".to_owned(),
                    _ => counted(changes.len() as u64, "change"),
                };
                let audit = done(&caller.actor, verb, record.template.name.clone(), now, said, None);
                if !self.store.put_template(&record, &audit).await.map_err(store_error)? {
                    continue;
                }
            }
            return Ok(Imported { record, result, changes });
        }
        Err(Error::new(Code::StoreFailed, format!("{} is changed by others all the time", template.name))
            .because("each time it was to be written, it was another one")
            .hint("{line}"))
    }

    /// The templates that match, by name, and how many there are in all.
    ///
    /// # Errors
    /// LXC0308 when the named one is not there, LXC0203 to LXC0205 for a selector that cannot be read.
    pub async fn templates(
        &self,
        caller: &Caller,
        name: Option<&str>,
        labels: &[String],
    ) -> Result<(Vec<TemplateOutline>, usize)> {
        self.access.require_anywhere(caller, "template ls")?;
        let filter = Filter::parse(labels)?;
        let mut outlines = self.store.template_outlines(name).await.map_err(store_error)?;
        if let Some(name) = name.filter(|_| outlines.is_empty()) {
            return Err(no_template(name));
        }
        let known = outlines.len();
        outlines.retain(|outline| filter.matches(&outline.name, &outline.settings));
        Ok((outlines, known))
    }

    /// The files that are imported as this template, and its revision.
    ///
    /// # Errors
    /// LXC0308 when it is not there.
    pub async fn export_template(&self, caller: &Caller, name: &str) -> Result<(Sources, i64)> {
        self.access.require_anywhere(caller, "template export")?;
        let record = self.named(name).await?;
        Ok((template::write(&record.template), record.revision))
    }

    /// Removes a template; containers made from it stay as they are. Answers what it was.
    ///
    /// # Errors
    /// LXC0601 for who is no admin, LXC0308 when it is not there.
    pub async fn delete_template(
        &self,
        caller: &Caller,
        name: &str,
        dry_run: bool,
    ) -> Result<TemplateRecord> {
        const VERB: &str = "template delete";
        self.access.require_anywhere(caller, VERB)?;
        let record = self.named(name).await?;
        if dry_run {
            return Ok(record);
        }
        let said = format!("revision {}", record.revision);
        let audit = done(&caller.actor, VERB, name.to_owned(), self.now(), said, None);
        match self.store.remove_template(name, &audit).await.map_err(store_error)? {
            true => Ok(record),
            false => Err(no_template(name)),
        }
    }

    async fn template(&self, name: &str) -> Result<Option<TemplateRecord>> {
        let found = self.store.templates(Some(name)).await.map_err(store_error)?;
        Ok(found.into_iter().next())
    }

    pub(super) async fn named(&self, name: &str) -> Result<TemplateRecord> {
        // To the store an empty name means all.
        let found = if name.is_empty() { None } else { self.template(name).await? };
        found.ok_or_else(|| no_template(name))
    }
}

/// Refuses to write over what somebody else has written meanwhile.
pub(super) fn unchanged_since(
    revision: Option<i64>,
    there: Option<(i64, &str)>,
    what: &str,
    name: &str,
) -> Result<()> {
    let (message, why) = match (revision, there) {
        (None, _) | (Some(0), None) => return Ok(()),
        (Some(wanted), Some((found, _))) if wanted == found => return Ok(()),
        (Some(0), Some((_, author))) => {
            (format!("there is a {what} {name} already"), format!("{author} changed it last"))
        }
        (Some(_), Some((found, author))) => (
            format!("{name} was changed by {author} meanwhile"),
            format!("it is revision {found} now; saving would undo that"),
        ),
        (Some(_), None) => (format!("{name} was deleted meanwhile"), "there is nothing to change".to_owned()),
    };
    Err(Error::new(Code::Overtaken, message).because(why).hint(match there {
        Some(_) => format!("lxcctl {what} show {name}"),
        None => format!("lxcctl {what} ls"),
    }))
}

fn no_template(name: &str) -> Error {
    let shown: String = name.chars().take(60).collect();
    Error::new(Code::NoTemplate, format!("there is no template {shown}"))
        .because("none of that name was imported, or it was deleted")
        .hint("lxcctl template ls")
}
