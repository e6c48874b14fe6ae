//! `lxcctl create`: wishes from flags, file and answers, then submit, watch, row. Owns that order; what the wishes come
//! to is said by lxcd.

mod dry_run;
mod file;
mod questions;

use lxc_core::create::Wish;
use lxc_core::error::{Code, Error, Exit, Result};

use crate::cli::CreateArgs;
use crate::client::{Client, CreateOrder};
use crate::commands::verb::finish::{self, Finish, Sent, Why};
use crate::context::Context;
use crate::follow::{Board, Patience, Signals, follow};

pub(crate) async fn run(context: &mut Context, args: &CreateArgs) -> Result<Exit> {
    let flags = wish(args)?;
    let file = args.file.as_deref().map(file::read).transpose()?.unwrap_or_default();
    let waiting = &args.waiting;
    let asked = questions::are_asked(context, args, &flags, &file);
    if !asked && flags.name.is_none() && file.name.is_none() {
        return Err(Error::new(Code::Usage, "create wants a name")
            .because("neither the command line nor a file says one")
            .hint("lxcctl create web-7 --template web-node")
            .hint("lxcctl create --help"));
    }
    let mut order = CreateOrder {
        request_id: waiting.request_id.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
        remote: args.remote.clone().unwrap_or_default(),
        flags,
        file,
        if_needed: waiting.if_needed,
    };
    if asked && let Some(exit) = questions::complete(context, &mut order).await? {
        return Ok(exit);
    }
    // A connection of its own: nobody kept the one of the questions alive while they were thought about.
    let client = context.connect().await?;
    if waiting.dry_run {
        let plan = client.plan_create(&order).await?;
        let exit = dry_run::print(context, &plan)?;
        if asked {
            questions::say_line(context);
        }
        return Ok(exit);
    }
    if asked && let Some(exit) = questions::review(context, &client, &order).await? {
        return Ok(exit);
    }
    make(context, &client, args, &order).await
}

async fn make(
    context: &mut Context,
    client: &Client,
    args: &CreateArgs,
    order: &CreateOrder,
) -> Result<Exit> {
    let waiting = &args.waiting;
    let mut signals = Signals::listen()?;
    let sent = finish::submitted(context, &mut signals, &order.request_id, client.create(order)).await?;
    let (submitted, why) = match sent {
        Sent::Answered(submitted, let_go) => (submitted, let_go.map(Why::Signalled)),
        Sent::Unanswered(exit) => return Ok(exit),
    };
    let timeout = waiting.timeout.filter(|timeout| !timeout.is_zero());
    let mut board = Board::new(submitted.operations);
    let end = Finish {
        request_id: submitted.request_id,
        timeout,
        fail_on_warnings: waiting.fail_on_warnings,
        ..Finish::default()
    };
    if let Some(why) = why.or(waiting.detach.then_some(Why::Asked)) {
        board.settle();
        return finish::detached(context, &board, &end, why);
    }
    let patience = Patience { timeout, silent: false };
    let ending = follow(context, client, &mut board, patience, &mut signals).await?;
    finish::ended(context, &board, &end, ending)
}

/// What the command line says.
fn wish(args: &CreateArgs) -> Result<Wish> {
    let CreateArgs { place, network, marks, provisioning, .. } = args;
    let list = |all: &[String]| (!all.is_empty()).then(|| all.to_vec());
    Ok(Wish {
        name: args.name.clone(),
        template: args.template.clone(),
        image: args.image.clone(),
        download: args.download,
        node: place.node.clone(),
        vmid: place.vmid.clone(),
        cores: place.cores,
        memory_mb: place.memory,
        swap_mb: place.swap,
        storage: place.storage.clone(),
        disk_gb: place.disk,
        unprivileged: match (place.privileged, place.unprivileged) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => None,
        },
        nesting: place.features.nesting,
        keyctl: place.features.keyctl,
        fuse: place.features.fuse,
        bridge: network.bridge.clone(),
        vlan: network.vlan,
        ip: network.ip.clone(),
        gateway: network.gateway,
        ip6: network.ip6.clone(),
        gateway6: network.gateway6,
        nameserver: network.nameserver.clone(),
        searchdomain: network.searchdomain.clone(),
        tags: list(&marks.tags),
        pool: marks.pool.clone(),
        onboot: marks.onboot.then_some(true),
        start_order: marks.start_order,
        description: marks.description.clone(),
        ssh_keys: if marks.ssh_keys.is_empty() { None } else { Some(file::keys(&marks.ssh_keys)?) },
        without: list(&provisioning.without),
        stop_after: provisioning.stop_after,
        on_failure: provisioning.on_failure,
    })
}
