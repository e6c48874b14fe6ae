//! What other clients see on the socket: health, reflection, versions, deadlines.

use std::path::Path;
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use lxc_proto::v1::containers_client::ContainersClient;
use lxc_proto::v1::daemon_client::DaemonClient;
use lxc_proto::v1::{HelloRequest, ListContainersRequest, StatusRequest};
use lxc_tests::harness::{World, running};
use tokio::net::UnixStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Code, Request};

async fn channel(socket: &Path) -> Channel {
    let path = socket.to_owned();
    let connector = tower::service_fn(move |_: Uri| {
        let path = path.clone();
        async move { Ok::<_, std::io::Error>(TokioIo::new(UnixStream::connect(path).await?)) }
    });
    Endpoint::from_static("http://lxcd").connect_with_connector(connector).await.expect("connected")
}

fn from_version<T>(message: T, version: &'static str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("lxc-client-version", version.parse().expect("a version"));
    request
}

#[test]
fn a_version_far_away_is_refused_with_words() {
    let world = World::with([running(104, "web-1")]);
    world.block_on(async {
        let channel = channel(&world.daemon.socket()).await;
        let mut daemon = DaemonClient::new(channel.clone());
        let hello = daemon.hello(HelloRequest { client_version: "0.1.7".into() }).await.expect("near enough");
        assert_eq!(hello.get_ref().daemon_version, env!("CARGO_PKG_VERSION"));
        let status =
            daemon.hello(HelloRequest { client_version: "9.0.0".into() }).await.expect_err("too far");
        assert!(status.message().contains("lxcctl 9.0.0 and lxcd"), "{status:?}");
        let status = daemon.status(from_version(StatusRequest {}, "9.4.0")).await.expect_err("too far");
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(!status.details().is_empty(), "the code travels along");
        daemon.status(from_version(StatusRequest {}, "0.2.0")).await.expect("one minor version apart");
        daemon.status(from_version(StatusRequest {}, "nonsense")).await.expect_err("no version at all");
    });
}

#[test]
fn health_and_reflection_answer() {
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::health_client::HealthClient;
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

    let world = World::with([running(104, "web-1")]);
    world.block_on(async {
        let channel = channel(&world.daemon.socket()).await;
        let mut health = HealthClient::new(channel.clone());
        let answer = health.check(tonic_health::pb::HealthCheckRequest::default()).await.expect("an answer");
        assert_eq!(answer.get_ref().status(), ServingStatus::Serving);
        let ask = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(MessageRequest::ListServices(String::new())),
        };
        let stream =
            ServerReflectionClient::new(channel).server_reflection_info(futures::stream::iter([ask])).await;
        let answer = stream.expect("a stream").into_inner().message().await.expect("an answer").expect("one");
        let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
            panic!("{answer:?}")
        };
        let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
        for service in
            ["lxc.v1.Containers", "lxc.v1.Daemon", "lxc.v1.Events", "lxc.v1.Operations", "lxc.v1.Remotes"]
        {
            assert!(names.contains(&service), "{service} in {names:?}");
        }
    });
}

#[test]
fn a_deadline_is_kept() {
    let world = World::with([running(104, "web-1")]);
    world.sim.control().add_fault("slow#*:GET:*:30s").expect("fault");
    world.block_on(async {
        let mut containers = ContainersClient::new(channel(&world.daemon.socket()).await);
        let mut request = Request::new(ListContainersRequest { selection: None, fresh: true });
        request.set_timeout(Duration::from_millis(300));
        let began = Instant::now();
        let status = containers.list(request).await.expect_err("Proxmox takes longer");
        assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}");
        assert!(began.elapsed() < Duration::from_secs(10));
    });
    // Without patience for Proxmox there is still what is known.
    world.ctl("ls").exits(0).prints("homelab/104");
}
