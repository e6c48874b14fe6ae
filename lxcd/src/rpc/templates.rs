//! `lxc.v1.Templates`.

use lxc_core::record::TemplateOutline;
use lxc_core::template::LARGEST_TEMPLATE;
use lxc_proto::v1::templates_server::Templates;
use lxc_proto::v1::{
    DeleteTemplateReply, DeleteTemplateRequest, ExportTemplateReply, ExportTemplateRequest,
    ImportTemplateReply, ImportTemplateRequest, ListTemplatesReply, ListTemplatesRequest,
};
use tonic::{Request, Response, Status};

use super::guard::to_the_end;
use super::status::status;
use super::{Api, convert};
use crate::service::templates::Import;

/// The largest template with its paths; a larger one is refused in words by core.
pub(super) const LARGEST_MESSAGE: usize = 2 * LARGEST_TEMPLATE as usize;

#[tonic::async_trait]
impl Templates for Api {
    async fn import(
        &self,
        request: Request<ImportTemplateRequest>,
    ) -> Result<Response<ImportTemplateReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let ImportTemplateRequest { directory, called, files, dry_run, revision, buckets } =
            request.into_inner();
        let sources = convert::sources(files);
        let import = Import { sources, shown: directory, called, buckets, revision, dry_run };
        let services = self.services.clone();
        let imported = to_the_end(async move { services.import_template(&caller, import).await }).await?;
        Ok(Response::new(ImportTemplateReply {
            template: Some(convert::template(&TemplateOutline::from(&imported.record))),
            result: imported.result.to_owned(),
            changes: imported.changes.iter().map(convert::change).collect(),
        }))
    }

    async fn list(
        &self,
        request: Request<ListTemplatesRequest>,
    ) -> Result<Response<ListTemplatesReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let ListTemplatesRequest { name, labels } = request.into_inner();
        let name = Some(name.as_str()).filter(|name| !name.is_empty());
        let (outlines, known) =
            self.services.templates(&caller, name, &labels).await.map_err(|error| status(&error))?;
        Ok(Response::new(ListTemplatesReply {
            items: outlines.iter().map(convert::template).collect(),
            known: u32::try_from(known).unwrap_or(u32::MAX),
        }))
    }

    async fn export(
        &self,
        request: Request<ExportTemplateRequest>,
    ) -> Result<Response<ExportTemplateReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let name = request.into_inner().name;
        let exported = self.services.export_template(&caller, &name).await;
        let (sources, revision) = exported.map_err(|error| status(&error))?;
        Ok(Response::new(ExportTemplateReply { files: convert::files(sources), revision }))
    }

    async fn delete(
        &self,
        request: Request<DeleteTemplateRequest>,
    ) -> Result<Response<DeleteTemplateReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let DeleteTemplateRequest { name, dry_run } = request.into_inner();
        let services = self.services.clone();
        let record =
            to_the_end(async move { services.delete_template(&caller, &name, dry_run).await }).await?;
        Ok(Response::new(DeleteTemplateReply {
            template: Some(convert::template(&TemplateOutline::from(&record))),
        }))
    }
}
