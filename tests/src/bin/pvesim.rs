//! The simulator by itself: parses arguments, starts it, waits for a signal.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use lxc_tests::pvesim::auth::TokenSpec;
use lxc_tests::pvesim::{CtSpec, Ready, Sim, SimConfig};
use tokio::signal::unix::{SignalKind, signal};

/// A simulated Proxmox VE that speaks the real wire.
#[derive(Debug, Parser)]
#[command(name = "pvesim", version)]
struct Args {
    /// Where the first node listens; port 0 lets the system choose for every node.
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// Node names, separated by commas.
    #[arg(long, default_value = "pve", value_delimiter = ',', value_name = "NAMES")]
    nodes: Vec<String>,
    /// Each node listens at an address of its own: 127.0.1.1, 127.0.1.2, …
    #[arg(long)]
    own_addresses: bool,
    /// Cluster name; several nodes form 'simlab' without it.
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// Size of the generated population.
    #[arg(long, default_value_t = 12, value_name = "N")]
    containers: usize,
    /// Seed of everything that looks random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many times faster than a genuine installation.
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    speed: f64,
    /// Seconds after the loss of a node in which HA takes its services elsewhere.
    #[arg(long, default_value_t = 120.0, value_name = "SECONDS")]
    fence_seconds: f64,
    /// First number of the generated population.
    #[arg(long, default_value_t = 100, value_name = "VMID")]
    first_vmid: u32,
    /// A JSON file with exactly the containers to simulate.
    #[arg(long, value_name = "FILE")]
    population: Option<PathBuf>,
    /// An API token, 'user@realm!id=secret[:GRANT,...]' where a GRANT is ROLE-OR-PRIVILEGE[@PATH].
    #[arg(long = "token", value_parser = TokenSpec::token, value_name = "SPEC")]
    tokens: Vec<TokenSpec>,
    /// A user with a password, 'user@realm=password[:GRANT,...]'.
    #[arg(long = "user", value_parser = TokenSpec::user, value_name = "SPEC")]
    users: Vec<TokenSpec>,
    /// A fault, see tests/README.md.
    #[arg(long = "fault", value_name = "SPEC")]
    faults: Vec<String>,
    /// Where keys are kept, so that a restarted simulator is the same installation.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Written once everything listens: URL, fingerprints and control port as JSON.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

fn read_population(path: &Path) -> Result<Vec<CtSpec>, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Writes beside the file first, so that whoever waits for it never reads half of it.
fn write_ready(path: &Path, ready: &Ready) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("{}: {e}", path.display());
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
    let text = serde_json::to_vec_pretty(ready).map_err(|e| e.to_string())?;
    file.write_all(&text).map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

async fn run(args: Args) -> Result<(), String> {
    if !(args.speed.is_finite() && args.speed > 0.0) {
        return Err("--speed must be more than 0".to_owned());
    }
    let population = args.population.as_deref().map(read_population).transpose()?;
    let config = SimConfig {
        listen: args.listen,
        nodes: args.nodes,
        own_addresses: args.own_addresses,
        cluster: args.cluster,
        containers: args.containers,
        seed: args.seed,
        speed: args.speed,
        fence_seconds: args.fence_seconds,
        first_vmid: args.first_vmid,
        tokens: args.tokens,
        users: args.users,
        faults: args.faults,
        population,
        state_dir: args.state_dir,
    };
    // Before anything listens, so that a signal is never missed.
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| e.to_string())?;
    let sim = Sim::start(config).await.map_err(|e| e.to_string())?;
    match &args.ready_file {
        Some(path) => write_ready(path, sim.ready())?,
        None => say(&serde_json::to_string_pretty(sim.ready()).map_err(|e| e.to_string())?),
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    sim.stop();
    Ok(())
}

#[expect(clippy::print_stdout, reason = "without a ready file, this is where it goes")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "the one place where the program complains")]
fn complain(text: &str) {
    eprintln!("pvesim: {text}");
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            complain(&text);
            ExitCode::FAILURE
        }
    }
}
