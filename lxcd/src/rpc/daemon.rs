//! `lxc.v1.Daemon`.

use lxc_core::record::DaemonSeen;
use lxc_proto::v1::daemon_server::Daemon;
use lxc_proto::v1::{
    DaemonEntry, DrainReply, DrainRequest, HelloReply, HelloRequest, ListDaemonsReply, ListDaemonsRequest,
    RemotePoll, RemoteRole, StatusReply, StatusRequest, WhoAmIReply, WhoAmIRequest,
};
use tonic::{Request, Response, Status};

use super::guard::{check_version, to_the_end};
use super::status::status;
use super::{Api, convert};
use crate::service::store_error;

#[tonic::async_trait]
impl Daemon for Api {
    async fn hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        check_version(&request.get_ref().client_version).map_err(|error| status(&error))?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Response::new(HelloReply {
            oldest_client: neighbour(&version, -1),
            newest_client: neighbour(&version, 1),
            daemon_version: version,
        }))
    }

    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<StatusReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let services = &self.services;
        services.access.enter(&caller).map_err(|error| status(&error))?;
        let (running, queued) =
            services.store.operation_counts().await.map_err(|error| status(&store_error(error)))?;
        let picture = services.inventory.picture();
        let seen = picture.values().filter(|view| services.access.sees(&caller, &view.name));
        let mut problems = services.degraded();
        let mut polls = Vec::new();
        for view in seen {
            let requests =
                services.registry.get(&view.name).map_or(0, |remote| remote.client.counters().total());
            let word = match &view.trouble {
                Some(trouble) => {
                    let open = self.may_read_words(&caller, &view.name);
                    let why = if open { trouble.why.as_str() } else { trouble.code.as_str() };
                    problems.push(format!("{}: {why}", view.name));
                    trouble.code.as_str()
                }
                None => "ok",
            };
            polls.push(RemotePoll {
                remote: view.name.clone(),
                last_us: view.polled,
                status: word.to_owned(),
                requests,
            });
        }
        Ok(Response::new(StatusReply {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_us: self.about.started,
            socket: self.about.socket.clone(),
            store: services.store.dialect().name().to_owned(),
            state_dir: self.about.state_dir.clone(),
            status: match problems.is_empty() {
                _ if services.engine.handed_over().is_some() => "draining",
                true => "ok",
                false => "degraded",
            }
            .to_owned(),
            problems,
            operations_running: running,
            operations_queued: queued,
            watchers: services.bus.watchers(),
            resident_bytes: resident_bytes(),
            daemon_id: services.me.to_string(),
            polls,
        }))
    }

    async fn who_am_i(&self, request: Request<WhoAmIRequest>) -> Result<Response<WhoAmIReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let access = &self.services.access;
        let (role, because) = access.role(&caller, None).map_or_else(
            || (String::new(), "no role names you".to_owned()),
            |(role, because)| (role.to_string(), because),
        );
        let remotes = self.services.registry.all();
        let remotes = remotes.iter().filter_map(|remote| {
            let (role, because) = access.role(&caller, Some(&remote.row.name))?;
            Some(RemoteRole { remote: remote.row.name.clone(), role: role.to_string(), because })
        });
        Ok(Response::new(WhoAmIReply {
            actor: Some(convert::actor(&caller.actor)),
            role,
            because,
            remotes: remotes.collect(),
        }))
    }

    async fn list(&self, request: Request<ListDaemonsRequest>) -> Result<Response<ListDaemonsReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let all = self.services.daemons(&caller).await.map_err(|error| status(&error))?;
        Ok(Response::new(ListDaemonsReply { items: all.iter().map(|daemon| self.entry(daemon)).collect() }))
    }

    async fn drain(&self, request: Request<DrainRequest>) -> Result<Response<DrainReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let (services, id) = (self.services.clone(), request.into_inner().id);
        let (daemon, others) = to_the_end(async move { services.drain(&caller, &id).await }).await?;
        let others = u32::try_from(others).unwrap_or(u32::MAX);
        Ok(Response::new(DrainReply { daemon: Some(self.entry(&daemon)), others }))
    }
}

impl Api {
    fn entry(&self, daemon: &DaemonSeen) -> DaemonEntry {
        let record = &daemon.record;
        DaemonEntry {
            id: record.id.to_string(),
            host: record.host.clone(),
            pid: record.pid,
            version: record.version.clone(),
            started_us: record.started,
            heartbeat_age_us: daemon.heartbeat_age,
            lease_left_us: daemon.lease_left,
            status: daemon.status().to_owned(),
            operations: daemon.operations,
            polls: daemon.polls.clone(),
            self_: record.id == self.services.me,
        }
    }
}

/// The minor version beside `version`, as "0.2".
fn neighbour(version: &str, by: i64) -> String {
    let mut parts = version.split('.').map(|part| part.parse::<i64>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    format!("{major}.{}", (minor + by).max(0))
}

/// Resident memory of this process (proc_pid_statm(5): the second figure, in pages).
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096);
    pages * u64::try_from(page).unwrap_or(4096)
}
