//! The thin binary: arguments, logging, signals, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    lxcd::cli::main()
}
