//! The one wiring place: opens everything in order, serves, and closes everything in reverse order. Owns
//! start-up and shutdown; must not contain any other logic.

use lxc_core::record::DaemonRecord;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::DaemonId;
use lxc_core::ports::{Clock, CourtesyLock, OpStore, RemoteJob};
use lxc_core::timing::{Timing, micros};
use secrecy::ExposeSecret;
use tokio::sync::oneshot;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::engine::{Engine, Lease, Parts, Steady};
use crate::inventory::Inventory;
use crate::keyring::{self, KeyFile, Keyring};
use crate::others::Others;
use crate::peer::{self, Peers};
use crate::service::access::Access;
use crate::service::registry::Registry;
use crate::service::{Services, store_error};
use crate::ssh::Jobs;
use crate::standing::Standing;
use crate::state_dir::StateDir;
use crate::store::Store;
use crate::{heartbeat, janitor, metrics, monitor, pve, rpc, socket};

/// Where SQLite keeps everything.
#[must_use]
pub fn database_file(state_dir: &Path) -> PathBuf {
    state_dir.join("lxcd.db")
}

/// Opens the database the configuration names.
///
/// # Errors
/// When it cannot be used.
pub async fn open_store(config: &Config, state: &StateDir) -> Result<Store> {
    match &config.database {
        Some(url) => Store::open_postgres(url.expose_secret()).await,
        None => Store::open_sqlite(&database_file(state.path())).await,
    }
}

/// Opens the keyring that fits the database; makes one where there is none.
///
/// # Errors
/// LXC0511 when the keys do not fit.
pub async fn open_keyring(store: &Store, state: &StateDir) -> Result<Keyring> {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let file = KeyFile::locate(state.path(), credentials.as_deref());
    let check = store.meta(keyring::CHECK_ROW).await.map_err(store_error)?;
    let keyring = match file.open(check.as_deref()) {
        Err(error) if error.code == Code::WrongKey => return Err(bring(error, store, file.path()).await),
        other => other?,
    };
    if check.is_none() {
        store.set_meta(keyring::CHECK_ROW, &keyring.check_value()?).await.map_err(store_error)?;
    }
    Ok(keyring)
}

/// The hosts where lxcd works on this database now.
///
/// # Errors
/// When the database fails.
pub async fn hosts(store: &Store) -> Result<Vec<String>> {
    store.other_hosts(None, SystemClock.now()).await.map_err(store_error)
}

/// Where the missing key is: on a host whose lxcd works on the same database, else in a copy.
async fn bring(error: Error, store: &Store, path: &Path) -> Error {
    let hosts = hosts(store).await.unwrap_or_default();
    keyring::bring(error, hosts.first().map(String::as_str), path)
}

/// Runs lxcd until `stop`. `ready` is told once calls are answered.
///
/// # Errors
/// Whatever keeps it from starting.
pub async fn run(
    config: Config,
    timing: Timing,
    stop: CancellationToken,
    ready: Option<oneshot::Sender<()>>,
) -> Result<()> {
    timing
        .check()
        .map_err(|rule| Error::new(Code::Internal, "the time constants do not fit").because(rule))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (started, since) = (clock.now(), Instant::now());
    let state = StateDir::take(&config.state_dir)?;
    let mut socket = socket::listen(&config.socket, config.socket_group.as_deref())?;
    let store = open_store(&config, &state).await?;
    let keyring = Arc::new(open_keyring(&store, &state).await?);
    let options = pve::Options { second: timing.pve_second, ..pve::Options::default() };
    let share = options.share.clone();
    let registry = Arc::new(Registry::load(store.clone(), keyring, options).await?);
    let me = DaemonId::generate();
    let others = Others::new(&config, &store, me, &clock).await?;
    let (bus, redis, carried) = (others.bus.clone(), others.redis.clone(), others.carried.clone());
    let rows: Vec<_> = registry.all().iter().map(|remote| remote.row.clone()).collect();
    let inventory = Inventory::load(store.clone(), bus.clone(), clock.clone(), timing.clone(), &rows, me)
        .await
        .map_err(store_error)?;

    let lease = Arc::new(Lease::default());
    let daemon = DaemonRecord {
        id: me,
        host: nix::unistd::gethostname().map(|h| h.to_string_lossy().into_owned()).unwrap_or_default(),
        pid: std::process::id(),
        state_id: state.id()?,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started,
    };
    let sent = clock.boot();
    store.register_daemon(&daemon, started + micros(timing.lease)).await.map_err(store_error)?;
    lease.extend(sent, &timing);

    let steady = Steady::new(store.clock(clock.now()).await.map_err(store_error)?, &*clock);
    let op_store: Arc<dyn OpStore> = Arc::new(store.clone());
    let jobs: Arc<dyn RemoteJob> =
        Arc::new(Jobs::new(clock.clone(), registry.ssh_accesses(), timing.connect));
    let engine = Engine::new(Parts {
        store: op_store,
        pve: registry.clone(),
        jobs: jobs.clone(),
        clock: clock.clone(),
        timing: timing.clone(),
        bus: bus.clone(),
        courtesy: redis.clone().map(|redis| Arc::new(redis) as Arc<dyn CourtesyLock>),
        steady,
        me,
        lease: lease.clone(),
    });
    let access = Access::new(
        peer::Access::new(&config, nix::unistd::geteuid().as_raw()),
        Peers::new(config.identity_domain.clone()),
        registry.clone(),
    );
    let services = Services {
        store: store.clone(),
        registry: registry.clone(),
        inventory: inventory.clone(),
        engine: engine.clone(),
        jobs,
        bus: bus.clone(),
        clock: clock.clone(),
        timing: timing.clone(),
        access: Arc::new(access),
        redis,
        carried,
        me,
        stopping: CancellationToken::new(),
    };
    let stopping = services.stopping.clone();

    let background = CancellationToken::new();
    let measuring = match config.metrics {
        Some(address) => Some(tokio::spawn(metrics::serve(
            metrics::listen(address).await?,
            services.clone(),
            background.clone(),
        ))),
        None => None,
    };
    let beating = tokio::spawn(heartbeat::beat(
        store.clone(),
        clock.clone(),
        timing.clone(),
        me,
        lease,
        background.clone(),
    ));
    let cleaning =
        tokio::spawn(janitor::work(store.clone(), clock.clone(), config.retention, background.clone()));
    let looking = config.services.then(|| tokio::spawn(monitor::watch(services.clone(), background.clone())));
    let telling = CancellationToken::new();
    let carrying = tokio::spawn(others.carry(clock.clone(), timing.clone(), telling.clone()));
    let standing = Standing {
        store: store.clone(),
        bus: bus.clone(),
        clock: clock.clone(),
        timing: timing.clone(),
        engine: engine.clone(),
        inventory: inventory.clone(),
        share,
        me,
    };
    let standing = tokio::spawn(standing.keep(background.clone()));
    let hearing = tokio::spawn({
        let engine = engine.clone();
        async move { engine.hear_wishes().await }
    });
    let knowing = tokio::spawn({
        let services = services.clone();
        async move { services.follow_remotes().await }
    });
    let admitting = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run().await }
    });
    let following = tokio::spawn({
        let inventory = inventory.clone();
        async move { inventory.follow_operations().await }
    });
    for remote in registry.all() {
        inventory.watch_remote(&remote.row, remote.client.clone());
    }

    let about = rpc::About {
        socket: config.socket.display().to_string(),
        state_dir: config.state_dir.display().to_string(),
        started,
        since,
    };
    let routes = rpc::routes(services, about)
        .await
        .map_err(|error| Error::new(Code::Internal, "cannot serve").because(error.to_string()))?;
    let listener = socket.take().ok_or_else(|| Error::new(Code::Internal, "the socket was taken twice"))?;
    tracing::info!(socket = %config.socket.display(), store = store.dialect().name(), pid = daemon.pid, "serving");
    if let Some(ready) = ready {
        // Whoever waited for it may have gone.
        let _ = ready.send(());
    }
    // Not serving any more comes first: whoever calls now is told to come back.
    let serving = Server::builder()
        .http2_keepalive_interval(Some(timing.keep_alive))
        .add_routes(routes)
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), stop.clone().cancelled_owned());
    let mut serving = tokio::spawn(serving);
    tokio::select! {
        // First: the server ends by this too.
        biased;
        () = stop.cancelled() => {}
        ended = &mut serving => tracing::error!(?ended, "the server ended by itself"),
    }
    tracing::info!("shutting down; tasks on Proxmox go on and are picked up again");
    stopping.cancel();
    engine.drain().await;
    admitting.abort();
    // Streams that are still open are ended: their watchers come back and go on where they were.
    serving.abort();
    inventory.stop().await;
    following.abort();
    knowing.abort();
    background.cancel();
    if let Some(measuring) = measuring {
        measuring.abort();
    }
    if let Some(looking) = looking {
        let _ = looking.await;
    }
    let _ = tokio::join!(beating, cleaning, hearing, standing);
    inventory.hand_over().await;
    match store.release_daemon(me).await {
        Ok(()) => bus.queue_moved(),
        Err(error) => tracing::warn!(%error, "cannot give the lease back; it ends by itself"),
    }
    // The others take over what is theirs now; they are told last.
    telling.cancel();
    let _ = carrying.await;
    store.close().await;
    Ok(())
}
