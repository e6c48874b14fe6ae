//! The scripted daemon: every service of the wire, each answering with what its script holds.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use lxc_proto::v1 as pb;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;

use super::Run;

/// What one call answers; `None` = the daemon does not know the call.
pub(crate) type Answer<T> = Option<Result<T, pb::Error>>;

/// Everything the daemon will say.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) list: Answer<pb::ListContainersReply>,
    pub(crate) show: Answer<pb::ShowContainerReply>,
    pub(crate) summary: Answer<pb::SummaryReply>,
    pub(crate) resolve: Answer<pb::ResolveReply>,
    pub(crate) nodes: Answer<pb::ListNodesReply>,
    pub(crate) submit: Answer<pb::SubmitReply>,
    pub(crate) dry_run: Answer<pb::DryRunReply>,
    pub(crate) get: Answer<pb::GetOperationReply>,
    pub(crate) operations: Answer<pb::ListOperationsReply>,
    pub(crate) cancel: Answer<pb::OperationsReply>,
    pub(crate) events: Vec<Step<pb::ListEventsReply>>,
    pub(crate) audit: Answer<pb::ListAuditReply>,
    pub(crate) probe: Answer<pb::ProbeReply>,
    pub(crate) add: Answer<pb::AddRemoteReply>,
    pub(crate) remotes: Answer<pb::ListRemotesReply>,
    pub(crate) set: Answer<pb::SetRemoteReply>,
    pub(crate) trust: Answer<pb::TrustReply>,
    pub(crate) test: Answer<pb::TestRemoteReply>,
    pub(crate) doctor: Answer<pb::DoctorReply>,
    /// One for each directory.
    pub(crate) imports: VecDeque<Result<pb::ImportTemplateReply, pb::Error>>,
    pub(crate) templates: Answer<pb::ListTemplatesReply>,
    pub(crate) services: Answer<pb::ShowServicesReply>,
    pub(crate) reveal: Answer<pb::RevealReply>,
    pub(crate) status: Answer<pb::StatusReply>,
    pub(crate) whoami: Answer<pb::WhoAmIReply>,
    pub(crate) daemons: Answer<pb::ListDaemonsReply>,
    pub(crate) drain: Answer<pb::DrainReply>,
    /// Submits are answered when it opens.
    pub(crate) gate: Option<Gate>,
    /// After the first one the list changes like this; none = it ends.
    pub(crate) changes: Vec<Step<pb::ChangesReply>>,
    /// One script for each time somebody watches.
    pub(crate) watches: VecDeque<Vec<Step<pb::WatchReply>>>,
}

/// Holds up an answer until a test lets it through.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(super) arrived: std::sync::mpsc::Sender<()>,
    pub(super) open: Arc<tokio::sync::Notify>,
}

impl Gate {
    /// It, and what hears of everybody who stands before it.
    pub(crate) fn new() -> (Self, std::sync::mpsc::Receiver<()>) {
        let (arrived, arrivals) = std::sync::mpsc::channel();
        (Self { arrived, open: Arc::default() }, arrivals)
    }

    /// Lets one through.
    pub(crate) fn open(&self) {
        self.open.notify_one();
    }
}

/// One step of a stream.
#[derive(Clone)]
pub(crate) enum Step<T> {
    /// Say this.
    Say(T),
    /// The connection breaks.
    Break,
    /// Nothing more, and no end.
    Hang,
}

/// What was asked, for the tests to look at.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) submits: Vec<pb::SubmitRequest>,
    pub(crate) watches: Vec<pb::WatchRequest>,
    pub(crate) resolves: Vec<pb::ResolveRequest>,
    pub(crate) adds: Vec<pb::AddRemoteRequest>,
    pub(crate) sets: Vec<pb::SetRemoteRequest>,
    pub(crate) retries: Vec<pb::RetryRequest>,
    pub(crate) resolutions: Vec<pb::ResolveAttentionRequest>,
    pub(crate) events: Vec<pb::ListEventsRequest>,
    pub(crate) versions: Vec<String>,
    pub(crate) drains: Vec<pb::DrainRequest>,
    pub(crate) imports: Vec<pb::ImportTemplateRequest>,
}

#[derive(Clone)]
pub(super) struct Service {
    pub(super) script: Arc<Mutex<Script>>,
    pub(super) asked: Arc<Mutex<Asked>>,
}

/// A running daemon; it ends with this value.
pub(crate) struct Fake {
    dir: tempfile::TempDir,
    pub(crate) asked: Arc<Mutex<Asked>>,
    running: Option<(tokio::sync::oneshot::Sender<()>, std::thread::JoinHandle<()>)>,
}

impl Fake {
    pub(crate) fn start(script: Script) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut fake = Self { dir, asked: Arc::default(), running: None };
        fake.come_back(script);
        fake
    }

    /// Listens, with that to say.
    pub(crate) fn come_back(&mut self, script: Script) {
        let listener = std::os::unix::net::UnixListener::bind(self.socket()).unwrap();
        listener.set_nonblocking(true).unwrap();
        let service = Service { script: Arc::new(Mutex::new(script)), asked: self.asked.clone() };
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || serve(listener, service, stopped));
        self.running = Some((stop, thread));
    }

    /// Breaks every connection and takes no new one.
    pub(crate) fn go_away(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            let _ = thread.join();
            let _ = std::fs::remove_file(self.socket());
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("lxcd.sock")
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn run(&self, line: &str) -> Run {
        super::run(&self.socket(), line)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.go_away();
    }
}

fn serve(
    listener: std::os::unix::net::UnixListener,
    service: Service,
    stopped: tokio::sync::oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let incoming = UnixListenerStream::new(UnixListener::from_std(listener).unwrap());
        let server = tonic::transport::Server::builder()
            .add_service(pb::containers_server::ContainersServer::new(service.clone()))
            .add_service(pb::operations_server::OperationsServer::new(service.clone()))
            .add_service(pb::events_server::EventsServer::new(service.clone()))
            .add_service(pb::remotes_server::RemotesServer::new(service.clone()))
            .add_service(pb::templates_server::TemplatesServer::new(service.clone()))
            .add_service(pb::services_server::ServicesServer::new(service.clone()))
            .add_service(pb::daemon_server::DaemonServer::new(service))
            .serve_with_incoming(incoming);
        tokio::select! {
            ended = server => ended.unwrap(),
            _ = stopped => {}
        }
    });
}
