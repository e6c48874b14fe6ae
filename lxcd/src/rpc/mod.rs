//! gRPC: a method decodes, calls one use case, encodes. Owns the protobuf types on the daemon's side and
//! the guard in front of every call; must not hold any logic of its own.

mod buckets;
mod containers;
mod convert;
mod creates;
mod daemon;
mod events;
mod guard;
mod operations;
mod remotes;
mod services;
mod status;
mod templates;

use std::sync::Arc;
use std::time::Instant;

use lxc_proto::v1::buckets_server::BucketsServer;
use lxc_proto::v1::containers_server::ContainersServer;
use lxc_proto::v1::creates_server::CreatesServer;
use lxc_proto::v1::daemon_server::DaemonServer;
use lxc_proto::v1::events_server::EventsServer;
use lxc_proto::v1::operations_server::OperationsServer;
use lxc_proto::v1::remotes_server::RemotesServer;
use lxc_proto::v1::services_server::ServicesServer;
use lxc_proto::v1::templates_server::TemplatesServer;
use tonic::service::Routes;

use crate::service::Services;

/// What `daemon status` tells about this run.
#[derive(Debug, Clone)]
pub struct About {
    /// Where it listens.
    pub socket: String,
    /// Where it keeps its state.
    pub state_dir: String,
    /// When it began.
    pub started: i64,
    /// The same, for measuring.
    pub since: Instant,
}

/// Implements every service.
#[derive(Clone)]
pub struct Api {
    services: Services,
    about: Arc<About>,
}

/// Everything that is served on the socket.
///
/// # Errors
/// When the embedded descriptors cannot be read, which is a fault of the build.
pub async fn routes(services: Services, about: About) -> Result<Routes, tonic_reflection::server::Error> {
    let api = Api { services, about: Arc::new(about) };
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<DaemonServer<Api>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(lxc_proto::DESCRIPTORS)
        .build_v1()?;
    Ok(Routes::new(health_service)
        .add_service(reflection)
        .add_service(DaemonServer::new(api.clone()))
        .add_service(ContainersServer::new(api.clone()))
        .add_service(EventsServer::new(api.clone()))
        .add_service(OperationsServer::new(api.clone()))
        .add_service(CreatesServer::new(api.clone()))
        .add_service(RemotesServer::new(api.clone()))
        .add_service(ServicesServer::new(api.clone()))
        .add_service(BucketsServer::new(api.clone()))
        .add_service(TemplatesServer::new(api).max_decoding_message_size(templates::LARGEST_MESSAGE)))
}

/// Reads a message as the requests that have a verb, options or a selection in them, and drops what comes of it.
pub(crate) fn read_every_way(message: &[u8]) {
    use lxc_core::selector::Query;
    use lxc_proto::v1;
    use prost::Message;
    if let Ok(request) = v1::SubmitRequest::decode(message) {
        drop(convert::verb_request(request));
    }
    if let Ok(request) = v1::CreateRequest::decode(message) {
        drop(convert::create_request(request));
    }
    if let Ok(request) = v1::ListContainersRequest::decode(message) {
        drop(Query::parse(&convert::selection(request.selection)));
    }
    if let Ok(request) = v1::ImportTemplateRequest::decode(message) {
        drop(lxc_core::template::read(&convert::sources(request.files), &request.called));
    }
    if let Ok(request) = v1::SaveBucketRequest::decode(message)
        && let Ok(lists) = convert::lists(&request.name, request.packages)
    {
        drop(lxc_core::template::bucket::checked(&request.name, &lists));
    }
}
