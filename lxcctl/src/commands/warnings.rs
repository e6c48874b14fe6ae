//! What a listing could not do, in words. Owns the lines under lists; must not print.

use lxc_core::error::Code;

use crate::client::view::Warning;
use crate::ui::escape::escape;
use crate::ui::time::Now;

/// `homelab/pve3 is unreachable since 14:01 (595 No route to host): 1 row is unknown`
pub(super) fn line(warning: &Warning, now: &Now) -> String {
    let target = warning.target.as_deref().unwrap_or_default();
    let unreachable = [Code::NodeUnreachable.as_str(), Code::RemoteUnreachable.as_str()];
    let text = if unreachable.contains(&warning.code.as_str()) {
        let since = warning.since.map_or(String::new(), |since| format!(" since {}", now.clock(since)));
        let rows = match warning.unknown_rows {
            0 => String::new(),
            1 => ": 1 row is unknown".to_owned(),
            many => format!(": {many} rows are unknown"),
        };
        format!("{target} is unreachable{since} ({}){rows}", warning.message)
    } else {
        warning.message.clone()
    };
    escape(&text).into_owned()
}
