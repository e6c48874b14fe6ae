//! Templates and their parts as rows. Owns that a template is replaced as a whole or not at all; must not read or
//! compare what is in one.

use std::collections::BTreeMap;

use lxc_core::ports::StoreError;
use lxc_core::record::{AuditRecord, FileOutline, ScriptOutline, TemplateOutline, TemplateRecord};
use lxc_core::template::{File, PackageList, Script, Settings, Template};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::bound::Transaction;
use super::row::flag;
use super::{Connection, Result, Store, audit, bulk, fail, get, get_json, get_parsed, json};

/// The tables of a template's parts.
const CLEAR: [&str; 3] = [
    "DELETE FROM template_script WHERE template = $1",
    "DELETE FROM template_file WHERE template = $1",
    "DELETE FROM template_packages WHERE template = $1",
];

const PACKAGES_OF: &str = "SELECT * FROM template_packages WHERE $1 = '' OR template = $1";

impl Store {
    /// Every template by name, or the one of that name, as they are at one moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn templates(&self, name: Option<&str>) -> Result<Vec<TemplateRecord>> {
        let mut tx = self.one_moment().await?;
        let mut records =
            rows(&mut tx, "SELECT * FROM template WHERE $1 = '' OR name = $1 ORDER BY name", name)
                .await?
                .iter()
                .map(record)
                .collect::<Result<Vec<_>>>()?;
        const SCRIPTS: &str =
            "SELECT * FROM template_script WHERE $1 = '' OR template = $1 ORDER BY template, number";
        for row in rows(&mut tx, SCRIPTS, name).await? {
            if let Some(template) = of(&mut records, &row)? {
                template.scripts.push(Script {
                    name: get(&row, "name")?,
                    number: number(&row, "number")?,
                    text: get(&row, "text")?,
                });
            }
        }
        const FILES: &str = "SELECT * FROM template_file WHERE $1 = '' OR template = $1";
        for row in rows(&mut tx, FILES, name).await? {
            if let Some(template) = of(&mut records, &row)? {
                template.files.push(File {
                    name: get(&row, "name")?,
                    directory: get(&row, "directory")?,
                    policy: get_parsed(&row, "policy")?,
                    executable: flag(&row, "executable")?,
                    text: get(&row, "text")?,
                });
            }
        }
        for row in rows(&mut tx, PACKAGES_OF, name).await? {
            if let Some(template) = of(&mut records, &row)? {
                template.packages.push(packages(&row)?);
            }
        }
        tx.commit().await.map_err(fail)?;
        // Databases differ in how they sort text.
        for TemplateRecord { template, .. } in &mut records {
            template.files.sort_by(|a, b| a.name.cmp(&b.name));
            template
                .packages
                .sort_by(|a, b| (&a.name, a.manager.as_str()).cmp(&(&b.name, b.manager.as_str())));
        }
        records.sort_by(|a, b| a.template.name.cmp(&b.template.name));
        Ok(records)
    }

    /// The same without what is in scripts and files: a list of many large ones stays small.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn template_outlines(&self, name: Option<&str>) -> Result<Vec<TemplateOutline>> {
        let mut tx = self.one_moment().await?;
        let templates = rows(&mut tx, "SELECT * FROM template WHERE $1 = '' OR name = $1", name).await?;
        let mut outlines = BTreeMap::new();
        for row in &templates {
            let outline = TemplateOutline::from(&record(row)?);
            outlines.insert(outline.name.clone(), outline);
        }
        let bytes = self.dialect.bytes_of_text();
        let scripts = format!(
            "SELECT template, number, name, {bytes} AS bytes FROM template_script \
             WHERE $1 = '' OR template = $1 ORDER BY number"
        );
        for row in sized(&mut tx, scripts, name).await? {
            if let Some(outline) = outlines.get_mut(&get::<String>(&row, "template")?) {
                let (number, size) = (number(&row, "number")?, size(&row)?);
                outline.scripts.push(ScriptOutline { name: get(&row, "name")?, number, size });
            }
        }
        let files = format!(
            "SELECT template, name, directory, policy, executable, {bytes} AS bytes FROM template_file \
             WHERE $1 = '' OR template = $1"
        );
        for row in sized(&mut tx, files, name).await? {
            if let Some(outline) = outlines.get_mut(&get::<String>(&row, "template")?) {
                outline.files.push(FileOutline {
                    name: get(&row, "name")?,
                    directory: get(&row, "directory")?,
                    policy: get_parsed(&row, "policy")?,
                    executable: flag(&row, "executable")?,
                    size: size(&row)?,
                });
            }
        }
        for row in rows(&mut tx, PACKAGES_OF, name).await? {
            if let Some(outline) = outlines.get_mut(&get::<String>(&row, "template")?) {
                outline.packages.push(packages(&row)?);
            }
        }
        tx.commit().await.map_err(fail)?;
        for outline in outlines.values_mut() {
            outline.files.sort_by(|a, b| a.name.cmp(&b.name));
            outline
                .packages
                .sort_by(|a, b| (&a.name, a.manager.as_str()).cmp(&(&b.name, b.manager.as_str())));
        }
        Ok(outlines.into_values().collect())
    }

    /// A reading transaction that sees one moment.
    pub(super) async fn one_moment(&self) -> Result<Transaction> {
        let mut tx = self.reader.begin("BEGIN").await.map_err(fail)?;
        // Postgres would else show each query what was committed meanwhile.
        if let Some(sql) = self.dialect.one_snapshot() {
            sqlx::query(sql).execute(&mut *tx).await.map_err(fail)?;
        }
        Ok(tx)
    }

    /// Keeps a template with all of its parts in the place of the revision before it (of none, when it is the first),
    /// together with the record of who did it. False = somebody else was faster, and nothing is written.
    ///
    /// # Errors
    /// When the database fails; then nothing is written.
    pub async fn put_template(&self, record: &TemplateRecord, audit: &AuditRecord) -> Result<bool> {
        let mut tx = self.write().await?;
        if !put(&mut tx, record).await? {
            return Ok(false);
        }
        let template = &record.template;
        for sql in CLEAR {
            sqlx::query(sql).bind(template.name.clone()).execute(&mut *tx).await.map_err(fail)?;
        }
        put_parts(&mut tx, template).await?;
        audit::insert(&mut tx, audit).await?;
        tx.commit().await.map_err(fail)?;
        Ok(true)
    }

    /// Removes a template with its parts, together with the record of who did it. False = there was none.
    ///
    /// # Errors
    /// When the database fails; then nothing is removed.
    pub async fn remove_template(&self, name: &str, audit: &AuditRecord) -> Result<bool> {
        let mut tx = self.write().await?;
        let done = sqlx::query("DELETE FROM template WHERE name = $1")
            .bind(name.to_owned())
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        audit::commit_if_done(tx, done.rows_affected(), audit).await
    }
}

async fn rows(tx: &mut Connection, sql: &'static str, name: Option<&str>) -> Result<Vec<AnyRow>> {
    sqlx::query(sql).bind(name.unwrap_or_default().to_owned()).fetch_all(tx).await.map_err(fail)
}

async fn sized(tx: &mut Connection, sql: String, name: Option<&str>) -> Result<Vec<AnyRow>> {
    let query = sqlx::query(AssertSqlSafe(sql)).bind(name.unwrap_or_default().to_owned());
    query.fetch_all(tx).await.map_err(fail)
}

fn size(row: &AnyRow) -> Result<u64> {
    Ok(get::<i64>(row, "bytes")?.unsigned_abs())
}

fn packages(row: &AnyRow) -> Result<PackageList> {
    Ok(PackageList {
        name: get(row, "name")?,
        manager: get_parsed(row, "manager")?,
        items: get_json(row, "items")?,
    })
}

/// The template a part belongs to.
fn of<'a>(records: &'a mut [TemplateRecord], row: &AnyRow) -> Result<Option<&'a mut Template>> {
    let name: String = get(row, "template")?;
    let found = records.iter_mut().map(|record| &mut record.template);
    Ok(found.into_iter().find(|template| template.name == name))
}

async fn put(tx: &mut Connection, record: &TemplateRecord) -> Result<bool> {
    let Template { name, settings, .. } = &record.template;
    let sql = if record.revision == 1 {
        "INSERT INTO template (name, revision, description, tags, os, version, cpu, ram_mb, disk_gb, unprivileged, \
         nesting, keyctl, fuse, author, changed_us, created_us) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (name) DO NOTHING"
    } else {
        "UPDATE template SET revision = $2, description = $3, tags = $4, os = $5, version = $6, cpu = $7, ram_mb = $8, \
         disk_gb = $9, unprivileged = $10, nesting = $11, keyctl = $12, fuse = $13, author = $14, changed_us = $15, \
         created_us = $16 WHERE name = $1 AND revision = $2 - 1"
    };
    let done = sqlx::query(sql)
        .bind(name.clone())
        .bind(record.revision)
        .bind(settings.description.clone())
        .bind(json(&settings.tags)?)
        .bind(settings.os.clone())
        .bind(settings.version.clone())
        .bind(i64::from(settings.cpu))
        .bind(i64::from(settings.ram_mb))
        .bind(i64::from(settings.disk_gb))
        .bind(i64::from(settings.unprivileged))
        .bind(i64::from(settings.nesting))
        .bind(i64::from(settings.keyctl))
        .bind(i64::from(settings.fuse))
        .bind(record.author.clone())
        .bind(record.changed)
        .bind(record.created)
        .execute(tx)
        .await
        .map_err(fail)?;
    Ok(done.rows_affected() == 1)
}

async fn put_parts(tx: &mut Connection, template: &Template) -> Result<()> {
    const SCRIPTS: &str = "template_script (template, number, name, text)";
    for part in bulk::parts(&template.scripts) {
        let mut query = sqlx::query(AssertSqlSafe(bulk::insert(SCRIPTS, 4, part.len())));
        for script in part {
            query = query
                .bind(template.name.clone())
                .bind(i64::from(script.number))
                .bind(script.name.clone())
                .bind(script.text.clone());
        }
        query.execute(&mut *tx).await.map_err(fail)?;
    }
    const FILES: &str = "template_file (template, name, directory, policy, executable, text)";
    for part in bulk::parts(&template.files) {
        let mut query = sqlx::query(AssertSqlSafe(bulk::insert(FILES, 6, part.len())));
        for file in part {
            query = query
                .bind(template.name.clone())
                .bind(file.name.clone())
                .bind(file.directory.clone())
                .bind(file.policy.as_str())
                .bind(i64::from(file.executable))
                .bind(file.text.clone());
        }
        query.execute(&mut *tx).await.map_err(fail)?;
    }
    const PACKAGES: &str = "template_packages (template, name, manager, items)";
    for part in bulk::parts(&template.packages) {
        let mut query = sqlx::query(AssertSqlSafe(bulk::insert(PACKAGES, 4, part.len())));
        for list in part {
            query = query
                .bind(template.name.clone())
                .bind(list.name.clone())
                .bind(list.manager.as_str())
                .bind(json(&list.items)?);
        }
        query.execute(&mut *tx).await.map_err(fail)?;
    }
    Ok(())
}

fn number(row: &AnyRow, column: &str) -> Result<u32> {
    let number: i64 = get(row, column)?;
    u32::try_from(number).map_err(|_| StoreError::Corrupt(format!("column {column}: {number}")))
}

fn record(row: &AnyRow) -> Result<TemplateRecord> {
    let settings = Settings {
        description: get(row, "description")?,
        tags: get_json(row, "tags")?,
        os: get(row, "os")?,
        version: get(row, "version")?,
        cpu: number(row, "cpu")?,
        ram_mb: number(row, "ram_mb")?,
        disk_gb: number(row, "disk_gb")?,
        unprivileged: flag(row, "unprivileged")?,
        nesting: flag(row, "nesting")?,
        keyctl: flag(row, "keyctl")?,
        fuse: flag(row, "fuse")?,
    };
    Ok(TemplateRecord {
        template: Template {
            name: get(row, "name")?,
            settings,
            scripts: Vec::new(),
            files: Vec::new(),
            packages: Vec::new(),
        },
        revision: get(row, "revision")?,
        author: get(row, "author")?,
        created: get(row, "created_us")?,
        changed: get(row, "changed_us")?,
    })
}
