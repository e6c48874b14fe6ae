//! Operations after they were submitted.

use lxc_core::error::{Exit, Result};

use crate::cli::OpCommand;
use crate::context::Context;

pub(crate) async fn run(_context: &mut Context, _args: OpCommand) -> Result<Exit> {
    Err(lxc_core::error::Error::new(lxc_core::error::Code::Internal, "not built yet"))
}
