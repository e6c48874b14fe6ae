//! Calls about templates.

use lxc_core::error::{Code, Error, Result};
use lxc_core::template::{LARGEST_TEMPLATE, Page, Source, Sources};
use lxc_proto::v1 as pb;
use pb::templates_client::TemplatesClient;

use super::Client;
use super::view::{Template, TemplateChange};

/// A list has no contents, an export those of one template.
const LARGEST_MESSAGE: usize = 8 * LARGEST_TEMPLATE as usize;

/// What became of an import.
pub struct Imported {
    /// As it is now, or would be.
    pub template: Template,
    /// created, changed or unchanged
    pub result: String,
    /// Against what was there.
    pub changes: Vec<TemplateChange>,
}

impl Client {
    fn templates_client(&self) -> TemplatesClient<tonic::transport::Channel> {
        TemplatesClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_MESSAGE)
    }

    /// Imports one template; `shown` is its directory as the caller names it, `called` what that is called.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn import_template(
        &self,
        shown: &str,
        called: &str,
        sources: Sources,
        dry_run: bool,
    ) -> Result<Imported> {
        let message = pb::ImportTemplateRequest {
            directory: shown.to_owned(),
            called: called.to_owned(),
            files: files(sources),
            dry_run,
            revision: None,
            buckets: Vec::new(),
        };
        self.import(message).await
    }

    /// Saves a template as edited, with copies of its buckets, in the place of that revision; 0 = there is none yet.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn save_template(&self, name: &str, page: Page, revision: i64) -> Result<Imported> {
        let message = pb::ImportTemplateRequest {
            called: name.to_owned(),
            files: files(page.sources),
            revision: Some(revision),
            buckets: page.buckets,
            ..Default::default()
        };
        self.import(message).await
    }

    async fn import(&self, message: pb::ImportTemplateRequest) -> Result<Imported> {
        let answer = self.templates_client().import(Self::unary(message)).await;
        let reply = self.settle(answer).await?;
        Ok(Imported {
            template: template(reply.template)?,
            result: reply.result,
            changes: reply.changes.into_iter().map(TemplateChange::from).collect(),
        })
    }

    /// The templates that match, and how many there are in all.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn templates(&self, name: &str, labels: &[String]) -> Result<(Vec<Template>, u32)> {
        let message = pb::ListTemplatesRequest { name: name.to_owned(), labels: labels.to_vec() };
        let answer = self.templates_client().list(Self::unary(message)).await;
        let reply = self.settle(answer).await?;
        Ok((reply.items.into_iter().map(Template::from).collect(), reply.known))
    }

    /// The files of a template, and its revision.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn export_template(&self, name: &str) -> Result<(Sources, i64)> {
        let message = pb::ExportTemplateRequest { name: name.to_owned() };
        let answer = self.templates_client().export(Self::unary(message)).await;
        let reply = self.settle(answer).await?;
        let source = |file: pb::TemplateSource| {
            (file.path, Source { content: file.content, executable: file.executable })
        };
        Ok((reply.files.into_iter().map(source).collect(), reply.revision))
    }

    /// Deletes a template, or only looks at what would go.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn delete_template(&self, name: &str, dry_run: bool) -> Result<Template> {
        let message = pb::DeleteTemplateRequest { name: name.to_owned(), dry_run };
        let answer = self.templates_client().delete(Self::unary(message)).await;
        template(self.settle(answer).await?.template)
    }
}

fn files(sources: Sources) -> Vec<pb::TemplateSource> {
    let file = |(path, source): (String, Source)| pb::TemplateSource {
        path,
        content: source.content,
        executable: source.executable,
    };
    sources.into_iter().map(file).collect()
}

fn template(wire: Option<pb::Template>) -> Result<Template> {
    wire.map(Template::from).ok_or_else(|| {
        Error::new(Code::Internal, "lxcd's answer has no template").hint("lxcctl daemon status")
    })
}
