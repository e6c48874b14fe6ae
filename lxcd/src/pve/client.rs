//! [`PveClient`]: one installation's API through one token. Owns the paths of the calls about one
//! container and the port to the engine; shapes are read in `lxc`, `tasks` and `nodes`.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use lxc_core::error::{Code, Error};
use lxc_core::ids::Vmid;
use lxc_core::op::Baseline;
use lxc_core::ports::{LogPage, PveApi, PveError};
use lxc_core::pve::{
    Call, Config, Live, Placement, Refusal, RefusalKind, TaskEntry, TaskStatus, Upid,
    call::Method as CallMethod,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::OnceCell;

use super::coalesce::{Nodes, Rhythm};
use super::metrics::{Class, Counters};
use super::options::Options;
use super::session::Credentials;
use super::tls::Trust;
use super::transport::{LIST, Request, SMALL, Transport};
use super::url::ApiUrl;
use super::{lxc, nodes, tasks};

/// What may stand in a path segment as it is; a UPID's `:` and `@` would too, but are encoded.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Lines of a task log in one answer.
const LOG_LINES: u32 = 500;

/// One URL of a remote and what makes its certificate acceptable.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where.
    pub url: ApiUrl,
    /// Whom to expect there.
    pub trust: Trust,
    /// The node behind it, where that is known.
    pub node: Option<String>,
}

/// How one URL of a remote does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The URL.
    pub url: ApiUrl,
    /// The node behind it, where that is known.
    pub node: Option<String>,
    /// For how long it has not been reached, and why.
    pub down: Option<(Duration, String)>,
}

/// Who HA manages, asked for once for all who want to know, after the list they are in.
type Managed = Arc<OnceCell<Result<HashSet<Vmid>, PveError>>>;

/// The containers of a node.
type Listed = (Vec<Live>, Managed);

/// The API of one remote as one token sees it. Cheap to keep, not to make: one per remote and token.
#[derive(Debug)]
pub struct PveClient {
    pub(super) transport: Transport,
    looks: Nodes<Listed>,
    baselines: Nodes<Vec<TaskEntry>>,
}

impl PveClient {
    /// Connects to nothing yet. Of several endpoints the first that answers is used.
    ///
    /// # Errors
    /// LXC0213 without an endpoint; LXC0107 when TLS or HTTP cannot be set up.
    pub fn new(
        endpoints: Vec<Endpoint>,
        who: impl Into<Credentials>,
        options: Options,
    ) -> Result<Self, Error> {
        if endpoints.is_empty() {
            return Err(Error::new(Code::BadUrl, "a remote needs at least one URL"));
        }
        let rhythm = Rhythm::of(options.second);
        let transport = Transport::new(endpoints, who.into(), options)?;
        Ok(Self { transport, looks: Nodes::new(rhythm), baselines: Nodes::new(rhythm) })
    }

    /// Where it asks, in the order of preference, and which of them it reaches.
    #[must_use]
    pub fn reach(&self) -> Vec<Reach> {
        let of = |way: &super::way::Way| Reach {
            url: way.endpoint.url.clone(),
            node: way.endpoint.node.clone(),
            down: way.down().map(|down| (down.since.elapsed(), down.why)),
        };
        self.transport.ways().iter().map(of).collect()
    }

    /// What was asked so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        self.transport.counters()
    }
}

impl PveClient {
    /// The state of one, alone or out of a list; then with who of the installation is HA's, once somebody asks.
    async fn look(&self, node: &str, vmid: Vmid) -> Result<(Live, Option<Managed>), PveError> {
        let alone = async { Ok((self.current_alone(node, vmid).await?, None)) };
        let all = async { Ok((self.list_lxc(node).await?.rows, Managed::default())) };
        let pick = |(all, managed): &Listed| {
            let at = all.binary_search_by_key(&vmid, |live| live.vmid).ok()?;
            Some((all[at].clone(), Some(managed.clone())))
        };
        self.looks.on(node).ask(alone, all, pick).await
    }

    async fn current_alone(&self, node: &str, vmid: Vmid) -> Result<Live, PveError> {
        let path = lxc_path(node, &format!("/{vmid}/status/current"));
        let request = Request { class: Class::Current, node, path: &path, limit: SMALL };
        lxc::current(self.transport.get(request).await?.answer(), vmid)
    }
}

/// One segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

fn lxc_path(node: &str, rest: &str) -> String {
    format!("/nodes/{}/lxc{rest}", segment(node))
}

fn task_path(upid: &Upid, rest: &str) -> String {
    format!("/nodes/{}/tasks/{}{rest}", segment(&upid.node), segment(upid.as_str()))
}

#[async_trait]
impl PveApi for PveClient {
    fn identity(&self) -> &str {
        self.transport.identity()
    }

    async fn current(&self, node: &str, vmid: Vmid) -> Result<Live, PveError> {
        match self.look(node, vmid).await? {
            (live, None) => Ok(live),
            (live, Some(managed)) => match managed.get_or_init(|| self.ha_managed()).await {
                Ok(managed) if !managed.contains(&vmid) => Ok(live),
                // Of one that HA manages the list does not say how.
                Ok(_) | Err(PveError::Refused(_) | PveError::Garbage(_)) => {
                    self.current_alone(node, vmid).await
                }
                Err(error) => Err(error.clone()),
            },
        }
    }

    async fn state(&self, node: &str, vmid: Vmid) -> Result<Live, PveError> {
        Ok(self.look(node, vmid).await?.0)
    }

    async fn config(&self, node: &str, vmid: Vmid) -> Result<Config, PveError> {
        // Without current=1 the answer would hold what is only pending.
        let path = lxc_path(node, &format!("/{vmid}/config?current=1"));
        let request = Request { class: Class::Config, node, path: &path, limit: SMALL };
        lxc::config(self.transport.get(request).await?.answer())
    }

    async fn locate(&self, vmid: Vmid) -> Result<Option<Placement>, PveError> {
        let request =
            Request { class: Class::Resources, node: "", path: "/cluster/resources?type=vm", limit: LIST };
        let received = self.transport.get(request).await?;
        nodes::placement(received.answer(), vmid)
    }

    async fn vmid_free(&self, vmid: Vmid) -> Result<bool, PveError> {
        let path = format!("/cluster/nextid?vmid={vmid}");
        let request = Request { class: Class::Resources, node: "", path: &path, limit: SMALL };
        match self.transport.get(request).await {
            Ok(_) => Ok(true),
            Err(PveError::Refused(Refusal { kind: RefusalKind::Parameters(_), .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn images(&self, node: &str, storage: &str) -> Result<Vec<String>, PveError> {
        self.images_on(node, storage).await
    }

    async fn tasks_of(&self, node: &str, vmid: Vmid, call: &Call) -> Result<Vec<TaskEntry>, PveError> {
        // Proxmox can look for a number; of a file the kind of its task has to do.
        let (about, limit) = match call {
            Call::Download { .. } => (format!("typefilter={}", call.task_types().concat()), LIST),
            _ => (format!("vmid={vmid}"), SMALL),
        };
        let path = format!("/nodes/{}/tasks?source=all&{about}&limit=200", segment(node));
        let request = Request { class: Class::Tasks, node, path: &path, limit };
        tasks::entries(self.transport.get(request).await?.answer())
    }

    async fn baseline(&self, node: &str, vmid: Vmid, call: &Call) -> Result<Baseline, PveError> {
        let subject = call.subject(vmid);
        let alone = async { Ok(Baseline::of(&self.tasks_of(node, vmid, call).await?, &subject)) };
        let all = async {
            let path = format!("/nodes/{}/tasks?source=all&limit=500", segment(node));
            let request = Request { class: Class::Tasks, node, path: &path, limit: LIST };
            tasks::entries(self.transport.get(request).await?.answer())
        };
        let pick = |all: &Vec<TaskEntry>| Some(Baseline::of(all, &subject));
        self.baselines.on(node).ask(alone, all, pick).await
    }

    async fn active_tasks(&self, node: &str) -> Result<Vec<TaskEntry>, PveError> {
        let path = format!("/nodes/{}/tasks?source=active&limit=1000", segment(node));
        let request = Request { class: Class::Tasks, node, path: &path, limit: SMALL };
        tasks::entries(self.transport.get(request).await?.answer())
    }

    async fn task_status(&self, upid: &Upid) -> Result<TaskStatus, PveError> {
        let path = task_path(upid, "/status");
        let request = Request { class: Class::TaskStatus, node: &upid.node, path: &path, limit: SMALL };
        match self.transport.get(request).await {
            Ok(received) => tasks::status(received.answer()),
            Err(PveError::Refused(refusal)) if tasks::is_unknown(&refusal) => Ok(TaskStatus::Unknown),
            Err(error) => Err(error),
        }
    }

    async fn task_log(&self, upid: &Upid, start: u64) -> Result<LogPage, PveError> {
        let path = task_path(upid, &format!("/log?start={start}&limit={LOG_LINES}"));
        // One line may be as long as its task likes.
        let request = Request { class: Class::TaskLog, node: &upid.node, path: &path, limit: LIST };
        tasks::log(self.transport.get(request).await?.answer(), start)
    }

    async fn dispatch(&self, node: &str, vmid: Vmid, call: &Call) -> Result<Upid, PveError> {
        let path = format!("/nodes/{}{}", segment(node), call.path(vmid));
        let method = match call.method() {
            CallMethod::Post => Method::POST,
            CallMethod::Delete => Method::DELETE,
        };
        let request = Request { class: Class::Dispatch, node, path: &path, limit: SMALL };
        let received = self.transport.change(request, method, &call.parameters()).await?;
        tasks::started(received.answer())
    }

    async fn stop_task(&self, upid: &Upid) -> Result<(), PveError> {
        let path = task_path(upid, "");
        let request = Request { class: Class::StopTask, node: &upid.node, path: &path, limit: SMALL };
        self.transport.change(request, Method::DELETE, &[]).await.map(|_| ())
    }

    async fn interfaces(&self, node: &str, vmid: Vmid) -> Result<BTreeMap<String, Vec<String>>, PveError> {
        let path = lxc_path(node, &format!("/{vmid}/interfaces"));
        let request = Request { class: Class::Interfaces, node, path: &path, limit: SMALL };
        match self.transport.get(request).await {
            Ok(received) => lxc::interfaces(received.answer()),
            // Before 8.1 there is no such call.
            Err(PveError::Refused(refusal)) if is_missing_call(&refusal) => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }
}

/// `501 Method 'GET …' not implemented`
fn is_missing_call(refusal: &Refusal) -> bool {
    refusal.kind == RefusalKind::Other && refusal.text.ends_with("not implemented")
}
