//! `lxcctl op watch` and `op wait`: come back to operations that go on without anybody.

use lxc_core::error::{Exit, Result};

use crate::cli::WatchOp;
use crate::commands::verb::finish::{self, Finish};
use crate::context::Context;
use crate::follow::{Board, Patience, Signals, follow};

pub(super) async fn run(context: &mut Context, args: &WatchOp, silent: bool) -> Result<Exit> {
    let client = context.connect().await?;
    let mut operations = Vec::new();
    for id in &args.ids {
        let (mut found, _) = client.operation(id, 0).await?;
        operations.append(&mut found);
    }
    let request_id = operations.first().map(|op| op.request_id.clone()).unwrap_or_default();
    let timeout = (!args.timeout.is_zero()).then_some(args.timeout);
    let mut board = Board::new(operations);
    let patience = Patience { timeout, silent };
    let ending = follow(context, &client, &mut board, patience, &mut Signals::listen()?).await?;
    let end = Finish { request_id, timeout, fail_on_warnings: args.fail_on_warnings, ..Finish::default() };
    finish::ended(context, &board, &end, ending)
}
