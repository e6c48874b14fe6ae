//! Every service of the wire over the script: each method answers what it was told to.

use std::pin::Pin;

use lxc_proto::v1 as pb;
use prost::Message as _;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Request, Response, Status};

use super::fake::{Answer, Service, Step};

/// `google.rpc.Status`, as far as it is needed.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

fn refuse(error: &pb::Error) -> Status {
    let any = prost_types::Any {
        type_url: "type.googleapis.com/lxc.v1.Error".into(),
        value: error.encode_to_vec(),
    };
    let details = RpcStatus { details: vec![any] }.encode_to_vec();
    Status::with_details(Code::FailedPrecondition, error.message.clone(), details.into())
}

fn say<T: Clone>(answer: &Answer<T>) -> Result<Response<T>, Status> {
    match answer {
        None => Err(Status::unimplemented("")),
        Some(Ok(reply)) => Ok(Response::new(reply.clone())),
        Some(Err(error)) => Err(refuse(error)),
    }
}

type Said<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

fn stream<T: Send + 'static>(steps: Vec<Step<T>>) -> Said<T> {
    Box::pin(tokio_stream::iter(steps).then(async |step| match step {
        Step::Say(item) => Ok(item),
        Step::Break => Err(Status::unavailable("the connection was lost")),
        Step::Hang => std::future::pending().await,
    }))
}

fn once<T: Clone + Send + 'static>(answer: &Answer<T>) -> Result<Response<Said<T>>, Status> {
    Ok(Response::new(stream(vec![Step::Say(say(answer)?.into_inner())])))
}

#[tonic::async_trait]
impl pb::containers_server::Containers for Service {
    type ListStream = Said<pb::ListContainersReply>;
    type ChangesStream = Said<pb::ChangesReply>;

    async fn list(
        &self,
        request: Request<pb::ListContainersRequest>,
    ) -> Result<Response<Self::ListStream>, Status> {
        if let Some(version) = request.metadata().get("lxc-client-version") {
            self.asked.lock().unwrap().versions.push(version.to_str().unwrap().to_owned());
        }
        once(&self.script.lock().unwrap().list)
    }
    async fn show(
        &self,
        _: Request<pb::ShowContainerRequest>,
    ) -> Result<Response<pb::ShowContainerReply>, Status> {
        say(&self.script.lock().unwrap().show)
    }
    async fn unlock(&self, _: Request<pb::UnlockRequest>) -> Result<Response<pb::UnlockReply>, Status> {
        Err(Status::unimplemented("not asked for in these tests"))
    }
    async fn summary(&self, _: Request<pb::SummaryRequest>) -> Result<Response<pb::SummaryReply>, Status> {
        say(&self.script.lock().unwrap().summary)
    }
    async fn resolve(
        &self,
        request: Request<pb::ResolveRequest>,
    ) -> Result<Response<pb::ResolveReply>, Status> {
        self.asked.lock().unwrap().resolves.push(request.into_inner());
        say(&self.script.lock().unwrap().resolve)
    }
    async fn list_nodes(
        &self,
        _: Request<pb::ListNodesRequest>,
    ) -> Result<Response<pb::ListNodesReply>, Status> {
        say(&self.script.lock().unwrap().nodes)
    }
    async fn changes(&self, _: Request<pb::ChangesRequest>) -> Result<Response<Self::ChangesStream>, Status> {
        let mut steps = vec![Step::Say(pb::ChangesReply {})];
        steps.extend(self.script.lock().unwrap().changes.iter().cloned());
        Ok(Response::new(stream(steps)))
    }
}

#[tonic::async_trait]
impl pb::operations_server::Operations for Service {
    type WatchStream = Said<pb::WatchReply>;
    type ListStream = Said<pb::ListOperationsReply>;

    async fn submit(&self, request: Request<pb::SubmitRequest>) -> Result<Response<pb::SubmitReply>, Status> {
        self.asked.lock().unwrap().submits.push(request.into_inner());
        let gate = self.script.lock().unwrap().gate.clone();
        if let Some(gate) = gate {
            gate.arrived.send(()).unwrap();
            gate.open.notified().await;
        }
        say(&self.script.lock().unwrap().submit)
    }
    async fn replay(&self, _: Request<pb::SubmitRequest>) -> Result<Response<pb::SubmitReply>, Status> {
        Ok(Response::new(pb::SubmitReply::default()))
    }
    async fn dry_run(&self, _: Request<pb::SubmitRequest>) -> Result<Response<pb::DryRunReply>, Status> {
        say(&self.script.lock().unwrap().dry_run)
    }
    async fn watch(&self, request: Request<pb::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.asked.lock().unwrap().watches.push(request.into_inner());
        let steps = self.script.lock().unwrap().watches.pop_front().unwrap_or_else(|| vec![Step::Hang]);
        Ok(Response::new(stream(steps)))
    }
    async fn get(
        &self,
        _: Request<pb::GetOperationRequest>,
    ) -> Result<Response<pb::GetOperationReply>, Status> {
        say(&self.script.lock().unwrap().get)
    }
    async fn list(
        &self,
        _: Request<pb::ListOperationsRequest>,
    ) -> Result<Response<Self::ListStream>, Status> {
        once(&self.script.lock().unwrap().operations)
    }
    async fn cancel(&self, _: Request<pb::CancelRequest>) -> Result<Response<pb::OperationsReply>, Status> {
        say(&self.script.lock().unwrap().cancel)
    }
    async fn retry(&self, request: Request<pb::RetryRequest>) -> Result<Response<pb::SubmitReply>, Status> {
        self.asked.lock().unwrap().retries.push(request.into_inner());
        say(&self.script.lock().unwrap().submit)
    }
    async fn resolve_attention(
        &self,
        request: Request<pb::ResolveAttentionRequest>,
    ) -> Result<Response<pb::OperationsReply>, Status> {
        self.asked.lock().unwrap().resolutions.push(request.into_inner());
        say(&self.script.lock().unwrap().cancel)
    }
}

#[tonic::async_trait]
impl pb::events_server::Events for Service {
    type ListStream = Said<pb::ListEventsReply>;
    type ListAuditStream = Said<pb::ListAuditReply>;

    async fn list(
        &self,
        request: Request<pb::ListEventsRequest>,
    ) -> Result<Response<Self::ListStream>, Status> {
        self.asked.lock().unwrap().events.push(request.into_inner());
        Ok(Response::new(stream(self.script.lock().unwrap().events.clone())))
    }
    async fn list_audit(
        &self,
        _: Request<pb::ListAuditRequest>,
    ) -> Result<Response<Self::ListAuditStream>, Status> {
        once(&self.script.lock().unwrap().audit)
    }
}

#[tonic::async_trait]
impl pb::remotes_server::Remotes for Service {
    async fn probe(&self, _: Request<pb::ProbeRequest>) -> Result<Response<pb::ProbeReply>, Status> {
        say(&self.script.lock().unwrap().probe)
    }
    async fn add(
        &self,
        request: Request<pb::AddRemoteRequest>,
    ) -> Result<Response<pb::AddRemoteReply>, Status> {
        self.asked.lock().unwrap().adds.push(request.into_inner());
        say(&self.script.lock().unwrap().add)
    }
    async fn list(
        &self,
        _: Request<pb::ListRemotesRequest>,
    ) -> Result<Response<pb::ListRemotesReply>, Status> {
        say(&self.script.lock().unwrap().remotes)
    }
    async fn test(&self, _: Request<pb::TestRemoteRequest>) -> Result<Response<pb::TestRemoteReply>, Status> {
        say(&self.script.lock().unwrap().test)
    }
    async fn doctor(&self, _: Request<pb::DoctorRequest>) -> Result<Response<pb::DoctorReply>, Status> {
        say(&self.script.lock().unwrap().doctor)
    }
    async fn trust(&self, _: Request<pb::TrustRequest>) -> Result<Response<pb::TrustReply>, Status> {
        say(&self.script.lock().unwrap().trust)
    }
    async fn set(
        &self,
        request: Request<pb::SetRemoteRequest>,
    ) -> Result<Response<pb::SetRemoteReply>, Status> {
        self.asked.lock().unwrap().sets.push(request.into_inner());
        say(&self.script.lock().unwrap().set)
    }
    async fn probe_ssh(
        &self,
        _: Request<pb::ProbeSshRequest>,
    ) -> Result<Response<pb::ProbeSshReply>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn login(&self, _: Request<pb::LoginRequest>) -> Result<Response<pb::LoginReply>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn logout(&self, _: Request<pb::LogoutRequest>) -> Result<Response<pb::LogoutReply>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn share(&self, _: Request<pb::ShareRequest>) -> Result<Response<pb::ShareReply>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn remove(
        &self,
        _: Request<pb::RemoveRemoteRequest>,
    ) -> Result<Response<pb::RemoveRemoteReply>, Status> {
        Ok(Response::new(pb::RemoveRemoteReply { containers: 24, running_operations: 0 }))
    }
}

#[tonic::async_trait]
impl pb::templates_server::Templates for Service {
    async fn import(
        &self,
        request: Request<pb::ImportTemplateRequest>,
    ) -> Result<Response<pb::ImportTemplateReply>, Status> {
        self.asked.lock().unwrap().imports.push(request.into_inner());
        say(&self.script.lock().unwrap().imports.pop_front())
    }
    async fn list(
        &self,
        _: Request<pb::ListTemplatesRequest>,
    ) -> Result<Response<pb::ListTemplatesReply>, Status> {
        say(&self.script.lock().unwrap().templates)
    }
    async fn export(
        &self,
        _: Request<pb::ExportTemplateRequest>,
    ) -> Result<Response<pb::ExportTemplateReply>, Status> {
        // A daemon that is not to be trusted with paths.
        let file = pb::TemplateSource { path: "../outside".into(), ..Default::default() };
        Ok(Response::new(pb::ExportTemplateReply { files: vec![file], revision: 1 }))
    }
    async fn delete(
        &self,
        _: Request<pb::DeleteTemplateRequest>,
    ) -> Result<Response<pb::DeleteTemplateReply>, Status> {
        Ok(Response::new(pb::DeleteTemplateReply { template: Some(pb::Template::default()) }))
    }
}

#[tonic::async_trait]
impl pb::services_server::Services for Service {
    async fn show(
        &self,
        _: Request<pb::ShowServicesRequest>,
    ) -> Result<Response<pb::ShowServicesReply>, Status> {
        say(&self.script.lock().unwrap().services)
    }
    async fn reveal(&self, _: Request<pb::RevealRequest>) -> Result<Response<pb::RevealReply>, Status> {
        say(&self.script.lock().unwrap().reveal)
    }
}

#[tonic::async_trait]
impl pb::daemon_server::Daemon for Service {
    async fn hello(&self, _: Request<pb::HelloRequest>) -> Result<Response<pb::HelloReply>, Status> {
        Err(Status::unimplemented(""))
    }
    async fn status(&self, _: Request<pb::StatusRequest>) -> Result<Response<pb::StatusReply>, Status> {
        say(&self.script.lock().unwrap().status)
    }
    async fn who_am_i(&self, _: Request<pb::WhoAmIRequest>) -> Result<Response<pb::WhoAmIReply>, Status> {
        say(&self.script.lock().unwrap().whoami)
    }
    async fn list(
        &self,
        _: Request<pb::ListDaemonsRequest>,
    ) -> Result<Response<pb::ListDaemonsReply>, Status> {
        say(&self.script.lock().unwrap().daemons)
    }
    async fn drain(&self, request: Request<pb::DrainRequest>) -> Result<Response<pb::DrainReply>, Status> {
        self.asked.lock().unwrap().drains.push(request.into_inner());
        say(&self.script.lock().unwrap().drain)
    }
}
