//! lxcd's own command line. Owns logging, signals and the exit code; must not open
//! anything but through `app`.

mod usage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lxc_core::error::{Code, Error};
use lxc_core::timing::Timing;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Environment, LogFormat, LogLevel};
use crate::{app, maintenance};

/// Manages LXC containers on Proxmox VE; `lxcctl` talks to it.
#[derive(Debug, Parser)]
#[command(name = "lxcd", version, disable_help_subcommand = true)]
struct Arguments {
    /// Configuration file [default: /etc/lxcd/config.toml, where there is one]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,

    /// Everything FACTOR times as fast; for tests against a simulator that is as fast
    #[arg(long, value_name = "FACTOR", hide = true, default_value_t = 1)]
    time_scale: u32,

    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read the configuration, say what is wrong with it, start nothing
    CheckConfig,
    /// The database
    Db {
        #[command(subcommand)]
        command: Db,
    },
    /// Make a new key, seal every secret with it, drop the old one; lxcd must not be running
    RotateKey,
}

#[derive(Debug, Subcommand)]
enum Db {
    /// Bring the schema up to date (SQLite does so by itself at start)
    Upgrade,
    /// Remove what is older than its retention now, and say what that was
    Prune {
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
    },
    /// Write operations, events and the audit to stdout, one JSON object a line
    Export,
}

/// Parses, runs, reports.
pub fn main() -> ExitCode {
    let ended = match Arguments::try_parse() {
        Ok(arguments) => run(arguments),
        // Help and version are answers.
        Err(fault) if !fault.use_stderr() => fault.exit(),
        Err(fault) => Err(usage::error(&fault)),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(error.exit().number())
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Error> {
    let environment = Environment::current();
    let config = Config::load(arguments.config.as_deref(), &environment)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Code::Internal, "cannot start").because(error.to_string()))?;
    match arguments.command {
        Some(Command::CheckConfig) => {
            check_config(&config);
            Ok(())
        }
        Some(Command::Db { command }) => runtime.block_on(async {
            match command {
                Db::Upgrade => maintenance::upgrade(&config).await,
                Db::Prune { dry_run } => maintenance::prune(&config, dry_run).await,
                Db::Export => maintenance::export(&config).await,
            }
        }),
        Some(Command::RotateKey) => runtime.block_on(maintenance::rotate_key(&config)),
        None => {
            log(&config);
            #[cfg(debug_assertions)]
            crate::failpoint::arm_from_env();
            let scale = arguments.time_scale.max(1);
            let mut timing = Timing::scaled(scale);
            timing.sample = (config.poll.active / scale, config.poll.idle / scale);
            runtime.block_on(serve(config, timing))
        }
    }
}

async fn serve(config: Config, timing: Timing) -> Result<(), Error> {
    let stop = CancellationToken::new();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let listening = |kind: SignalKind| {
        signal(kind).map_err(|error| {
            Error::new(Code::Internal, "cannot listen for signals").because(error.to_string())
        })
    };
    let (mut interrupt, mut terminate) =
        (listening(SignalKind::interrupt())?, listening(SignalKind::terminate())?);
    let stopping = stop.clone();
    tokio::spawn(async move {
        if is_ready.await.is_ok() {
            // Without systemd there is nobody to tell.
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
            tokio::spawn(watchdog());
        }
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        stopping.cancel();
    });
    app::run(config, timing, stop, Some(ready)).await
}

/// Tells systemd that this process still gets to run, as often as it wants to know. A database or a Proxmox that
/// does not answer is no reason to be killed.
async fn watchdog() {
    let Some(every) = sd_notify::watchdog_enabled() else { return };
    loop {
        // Gone with its system manager, it has nobody to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        tokio::time::sleep(every / 3).await;
    }
}

fn log(config: &Config) {
    use tracing_subscriber::EnvFilter;
    let level = match config.log.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let filter = EnvFilter::try_from_env("LXCD_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("warn,lxcd={level},lxc_core={level}")));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => builder.with_ansi(false).init(),
    }
}

#[expect(clippy::print_stdout, reason = "the answer of this command")]
fn check_config(config: &Config) {
    match &config.file {
        Some(file) => println!("{} is fine", file.display()),
        None => println!("no configuration file; the defaults hold"),
    }
}

#[expect(clippy::print_stderr, reason = "the process ends with it; there may be no logger yet")]
fn report(error: &Error) {
    let error = error.whole();
    eprintln!("error[{}]: {}", error.code, error.message);
    for (index, why) in error.why.iter().enumerate() {
        eprintln!("{}  {why}", if index == 0 { "  why:" } else { "      " });
    }
    for (index, hint) in error.tries.iter().enumerate() {
        let note = if hint.note.is_empty() { String::new() } else { format!("        ({})", hint.note) };
        eprintln!("{}  {}{note}", if index == 0 { "  try:" } else { "      " }, hint.command);
    }
}
