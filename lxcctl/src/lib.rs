//! The command line for lxcd. `run` is the whole program: it reads the command line, asks the daemon,
//! prints and says how it ended. Must not touch a database, Proxmox or SSH: only lxcd does.

pub mod cli;
pub mod client;
mod commands;
pub mod complete;
pub mod context;
pub mod exit;
pub mod follow;
pub mod ui;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use lxc_core::error::{Code, Error, Exit};

use cli::usage;
use cli::{Cli, Command, DaemonVerb, Format};
use context::Context;
use ui::printer::{Colour, Printer};
use ui::style::Look;

/// Runs one command line and returns its exit code.
#[must_use]
pub fn run(args: Vec<OsString>) -> u8 {
    // The shell asks for candidates through the environment; nothing else happens then.
    clap_complete::CompleteEnv::with_factory(Cli::command).bin("lxcctl").completer("lxcctl").complete();
    let argv: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    match Cli::try_parse_from(&args) {
        Ok(cli) => dispatch(cli, argv).number(),
        Err(fault) => not_a_command(&fault, &argv).number(),
    }
}

/// `--help` and `-V` are answers; everything else clap says is an error of the call.
fn not_a_command(fault: &clap::Error, argv: &[String]) -> Exit {
    let mut printer = Printer::new(Colour::Auto, false);
    if fault.kind() == ErrorKind::DisplayVersion {
        let ended = commands::local::version::run(&mut printer, usage::format(argv).unwrap_or_default());
        return ended.unwrap_or_else(|fault| fault.exit());
    }
    if !fault.use_stderr() {
        printer.answer(&fault.render().to_string());
        return Exit::Done;
    }
    if argv.is_empty() {
        printer.must_say(cli::help::TOP.trim_end());
        return Exit::Usage;
    }
    let error = usage::error(fault, argv);
    let look: Look = printer.err_look;
    printer.must_say(&if usage::format(argv).is_some_and(Format::is_json) {
        ui::error::json(&error)
    } else {
        ui::error::lines(&error, look, false)
    });
    error.exit()
}

fn dispatch(cli: Cli, argv: Vec<String>) -> Exit {
    let mut context = Context::new(&cli.global, argv);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(command(&mut context, cli.command)),
        Err(fault) => Err(Error::new(Code::Internal, "lxcctl cannot start").because(fault.to_string())),
    };
    let exit = ended.unwrap_or_else(|fault| {
        context.report(&fault);
        fault.exit()
    });
    context.printer.flush();
    match context.printer.take_fault() {
        Some(fault) => {
            let error =
                Error::new(Code::OutputFailed, "the answer could not be written").because(fault.to_string());
            context.report(&error);
            if exit == Exit::Done { error.exit() } else { exit }
        }
        None => exit,
    }
}

async fn command(context: &mut Context, command: Command) -> Result<Exit, Error> {
    use commands::{bucket, container, create, daemon, journal, local, op, remote, services, template, verb};
    match command {
        Command::Ls(args) => container::ls::run(context, &args).await,
        Command::Show(args) => container::show::run(context, &args).await,
        Command::Unlock(args) => container::unlock::run(context, &args).await,
        Command::Services(args) => services::run(context, &args).await,
        Command::Summary(args) => container::summary::run(context, &args).await,
        Command::Node(args) => container::node::run(context, &args).await,
        Command::Events(args) => journal::events::run(context, &args).await,
        Command::Audit(args) => journal::audit::run(context, &args).await,
        Command::Start(args) => verb::run(context, verb::Request::start(args)).await,
        Command::Stop(args) => verb::run(context, verb::Request::stop(args)).await,
        Command::Shutdown(args) => verb::run(context, verb::Request::shutdown(args)).await,
        Command::Restart(args) => verb::run(context, verb::Request::restart(args)).await,
        Command::Delete(args) => verb::run(context, verb::Request::delete(args)).await,
        Command::Forget(args) => verb::run(context, verb::Request::forget(args)).await,
        Command::Create(args) => create::run(context, &args).await,
        Command::Op(args) => op::run(context, args).await,
        Command::Remote(args) => remote::run(context, args).await,
        Command::Template(args) => template::run(context, args).await,
        Command::Bucket(args) => bucket::run(context, args).await,
        Command::Daemon(command) => match command.command {
            None | Some(DaemonVerb::Status) => daemon::status::run(context).await,
            Some(DaemonVerb::Ls(args)) => daemon::ls::run(context, &args.tables).await,
            Some(DaemonVerb::Drain(args)) => daemon::drain::run(context, &args).await,
        },
        Command::Whoami => daemon::whoami::run(context).await,
        Command::Explain(args) => local::explain::run(context, args.code.as_deref()),
        Command::Help(args) => local::help::run(context, &args.topic),
        Command::Completion(args) => local::completion::run(context, args.shell),
    }
}
