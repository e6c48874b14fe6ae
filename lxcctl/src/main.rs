//! The `lxcctl` program: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(lxcctl::run(std::env::args_os().collect()))
}
