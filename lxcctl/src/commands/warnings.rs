//! What a listing could not do, in words. Owns the lines under lists; must not print.

use lxc_core::error::Code;

use crate::client::view::{Container, Warning};
use crate::ui::escape::escape;
use crate::ui::time::Now;

/// `homelab/pve3 is unreachable since 14:01 (595 No route to host): 1 row is unknown`
pub(super) fn line(warning: &Warning, rows: &[Container], now: &Now) -> String {
    let target = warning.target.as_deref().unwrap_or_default();
    let unreachable = [Code::NodeUnreachable.as_str(), Code::RemoteUnreachable.as_str()];
    let whole = target.is_empty() || warning.message.starts_with(target);
    let text = if unreachable.contains(&warning.code.as_str()) && !whole {
        let since = warning.since.map_or(String::new(), |since| format!(" since {}", now.clock(since)));
        let unknown = rows.iter().filter(|row| row.status == "unknown" && is_on(row, target)).count();
        let rows = match unknown {
            0 => String::new(),
            1 => ": 1 row is unknown".to_owned(),
            many => format!(": {many} rows are unknown"),
        };
        format!("{target} is unreachable{since} ({}){rows}", warning.message)
    } else if whole {
        warning.message.clone()
    } else {
        format!("{target}: {}", warning.message)
    };
    escape(&text).into_owned()
}

fn is_on(row: &Container, target: &str) -> bool {
    match target.split_once('/') {
        Some((remote, node)) => row.remote == remote && row.node.as_deref() == Some(node),
        None => row.remote == target,
    }
}
