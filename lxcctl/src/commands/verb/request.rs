//! A verb's command line as one plain value. Owns the defaults that depend on the verb.

use std::time::Duration;

use lxc_core::selector::Selection;

use crate::cli::groups::micros;
use crate::cli::{
    Batch, DeleteArgs, ForgetArgs, Grace, OnError, RestartArgs, Select, ShutdownArgs, StartArgs, StopArgs,
    Waiting,
};
use crate::client::Order;
use crate::client::view::ContainerRef;

/// What was asked for.
pub(crate) struct Request {
    pub(crate) verb: &'static str,
    pub(crate) selection: Selection,
    pub(crate) at_most: u32,
    pub(crate) if_needed: bool,
    pub(crate) dry_run: bool,
    pub(crate) detach: bool,
    pub(crate) yes: bool,
    pub(crate) fail_on_warnings: bool,
    pub(crate) destroy_unreferenced_disks: bool,
    grace: Option<Grace>,
    timeout: Option<Duration>,
    wait_lock: Option<Duration>,
    pub(super) request_id: Option<String>,
    batch: Batch,
}

impl Request {
    pub(crate) fn start(args: StartArgs) -> Self {
        Self::new("start", &args.select, args.waiting, args.batch)
    }

    pub(crate) fn stop(args: StopArgs) -> Self {
        Self::new("stop", &args.select, args.waiting, args.batch)
    }

    pub(crate) fn shutdown(args: ShutdownArgs) -> Self {
        Self { grace: Some(args.grace), ..Self::new("shutdown", &args.select, args.waiting, args.batch) }
    }

    pub(crate) fn restart(args: RestartArgs) -> Self {
        Self { grace: Some(args.grace), ..Self::new("restart", &args.select, args.waiting, args.batch) }
    }

    pub(crate) fn delete(args: DeleteArgs) -> Self {
        let destroy_unreferenced_disks = args.destroy_unreferenced_disks;
        Self { destroy_unreferenced_disks, ..Self::new("delete", &args.select, args.waiting, args.batch) }
    }

    pub(crate) fn forget(args: ForgetArgs) -> Self {
        Self::new("forget", &args.select, args.waiting, args.batch)
    }

    fn new(verb: &'static str, select: &Select, waiting: Waiting, batch: Batch) -> Self {
        Self {
            verb,
            selection: select.selection(),
            at_most: batch.at_most.unwrap_or(0),
            if_needed: waiting.if_needed,
            dry_run: waiting.dry_run,
            detach: waiting.detach,
            yes: waiting.yes,
            fail_on_warnings: waiting.fail_on_warnings,
            destroy_unreferenced_disks: false,
            grace: None,
            timeout: waiting.timeout,
            wait_lock: waiting.wait_lock,
            request_id: waiting.request_id,
            batch,
        }
    }

    /// How long this command waits; `None` = for ever. Waiting for a lock comes on top, for that was
    /// asked for.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        if let Some(asked) = self.timeout {
            return (!asked.is_zero()).then_some(asked);
        }
        let usual = match self.verb {
            "shutdown" | "restart" => self.grace.as_ref().map_or(30, |grace| grace.grace.as_secs()) + 60,
            "delete" => 120,
            _ => 60,
        };
        match self.wait_lock {
            Some(lock) if lock.is_zero() => None,
            lock => Some(Duration::from_secs(usual) + lock.unwrap_or_default()),
        }
    }

    /// The order for exactly these containers.
    pub(crate) fn order(&self, refs: Vec<ContainerRef>) -> Order {
        let seconds = |grace: &Grace| u32::try_from(grace.grace.as_secs()).unwrap_or(u32::MAX);
        Order {
            request_id: self.request_id.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
            verb: self.verb,
            refs,
            if_needed: self.if_needed,
            grace_seconds: self.grace.as_ref().map(seconds),
            no_force: self.grace.as_ref().is_some_and(|grace| grace.no_force),
            destroy_unreferenced_disks: self.destroy_unreferenced_disks,
            wait_lock: self.wait_lock.map(micros),
            max_parallel: self.batch.max_parallel,
            max_per_node: self.batch.max_per_node.unwrap_or(0),
            stop_on_error: self.batch.on_error == OnError::Stop,
            pause: self.batch.pause.map_or(0, micros),
            selector_text: self.selection.describe(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn request(line: &str) -> Request {
        match Cli::try_parse_from(line.split(' ')).unwrap().command {
            Command::Start(args) => Request::start(args),
            Command::Stop(args) => Request::stop(args),
            Command::Shutdown(args) => Request::shutdown(args),
            Command::Restart(args) => Request::restart(args),
            Command::Delete(args) => Request::delete(args),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn patience_depends_on_the_verb() {
        let seconds = |line| request(line).timeout().map(|timeout| timeout.as_secs());
        assert_eq!(seconds("lxcctl start 104"), Some(60));
        assert_eq!(seconds("lxcctl stop 104"), Some(60));
        assert_eq!(seconds("lxcctl delete 104"), Some(120));
        assert_eq!(seconds("lxcctl shutdown 104"), Some(90));
        assert_eq!(seconds("lxcctl reboot 104 --grace 2m"), Some(180));
        assert_eq!(seconds("lxcctl start 104 --timeout 0"), None);
        assert_eq!(seconds("lxcctl start 104 --timeout 5"), Some(5));
        assert_eq!(seconds("lxcctl start 104 --wait-lock 10m"), Some(660));
        assert_eq!(seconds("lxcctl start 104 --wait-lock 0"), None);
    }

    #[test]
    fn an_order_carries_what_was_said() {
        let order =
            request("lxcctl shutdown 104 --grace 45 --no-force --on-error stop --pause 2s").order(Vec::new());
        assert_eq!((order.grace_seconds, order.no_force, order.stop_on_error), (Some(45), true, true));
        assert_eq!((order.pause, order.max_parallel), (2_000_000, 8));
        assert_eq!(request("lxcctl start 104").order(Vec::new()).grace_seconds, None);
    }
}
