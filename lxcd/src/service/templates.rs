//! Templates: importing, looking, exporting, deleting. Owns who may, and that an import that changes nothing writes
//! nothing; what a template's files mean is core's.

use lxc_core::error::{Code, Error, Result};
use lxc_core::record::TemplateRecord;
use lxc_core::template::{self, Change, Filter, Sources};
use lxc_core::text::counted;

use super::access::Caller;
use super::operations::done;
use super::{Services, store_error};

/// How often an import is begun anew when others change the same template meanwhile.
const ATTEMPTS: usize = 5;

/// Where a template comes from.
#[derive(Debug)]
pub struct Directory {
    /// As the caller names it, before the files of an error.
    pub shown: String,
    /// What it is called, for a template that does not say its name.
    pub called: String,
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
    /// LXC0601 for who is no admin, LXC0216 for what is no template.
    pub async fn import_template(
        &self,
        caller: &Caller,
        sources: &Sources,
        directory: &Directory,
        dry_run: bool,
    ) -> Result<Imported> {
        const VERB: &str = "template import";
        self.access.require_anywhere(caller, VERB)?;
        let template = template::read(sources, &directory.called)
            .map_err(|faults| template::refused(&faults, &directory.shown))?;
        for _ in 0..ATTEMPTS {
            let before = self.template(&template.name).await?;
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
            if !dry_run && result != "unchanged" {
                let said = match result {
                    "created" => "created".to_owned(),
                    _ => counted(changes.len() as u64, "change"),
                };
                let audit = done(&caller.actor, VERB, record.template.name.clone(), now, said, None);
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
    ) -> Result<(Vec<TemplateRecord>, usize)> {
        self.access.require_anywhere(caller, "template ls")?;
        let filter = Filter::parse(labels)?;
        if let Some(name) = name {
            return Ok((vec![self.named(name).await?], 1));
        }
        let mut records = self.store.templates(None).await.map_err(store_error)?;
        let known = records.len();
        records.retain(|record| filter.matches(&record.template.name, &record.template.settings));
        Ok((records, known))
    }

    /// The files that are imported as this template.
    ///
    /// # Errors
    /// LXC0308 when it is not there.
    pub async fn export_template(&self, caller: &Caller, name: &str) -> Result<Sources> {
        self.access.require_anywhere(caller, "template export")?;
        Ok(template::write(&self.named(name).await?.template))
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

fn no_template(name: &str) -> Error {
    let shown: String = name.chars().take(60).collect();
    Error::new(Code::NoTemplate, format!("there is no template {shown}"))
        .because("none of that name was imported, or it was deleted")
        .hint("lxcctl template ls")
}
