//! What a listing could not do, in words. Owns the lines under lists; must not print.

use lxc_core::error::Code;

use crate::client::view::Warning;
use crate::ui::escape::escape;
use crate::ui::time::Now;

/// `homelab/pve3 is unreachable since 14:01 (595 No route to host): 1 row is unknown`
pub(super) fn line(warning: &Warning, now: &Now) -> String {
    let target = warning.target.as_deref().unwrap_or_default();
    let unreachable = [Code::NodeUnreachable.as_str(), Code::RemoteUnreachable.as_str()];
    let is = match warning.code.as_str() {
        code if unreachable.contains(&code) => Some("is unreachable"),
        code if code == Code::NotProxmox.as_str() => Some("answers what cannot be read"),
        _ => None,
    };
    let text = if let Some(is) = is {
        let since = warning.since.map_or(String::new(), |since| format!(" since {}", now.clock(since)));
        let rows = match warning.unknown_rows {
            0 => String::new(),
            1 => ": 1 row is unknown".to_owned(),
            many => format!(": {many} rows are unknown"),
        };
        format!("{target} {is}{since} ({}){rows}", warning.message)
    } else {
        warning.message.clone()
    };
    escape(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use lxc_core::error::Code;

    use super::*;
    use crate::ui::time::Instant;

    #[test]
    fn who_is_away_and_who_talks_nonsense_are_told_apart() {
        let said = |code: Code, unknown_rows| {
            let warning = Warning {
                code: code.as_str().to_owned(),
                target: Some("homelab/pve3".to_owned()),
                message: "why".to_owned(),
                since: Some(Instant(0)),
                unknown_rows,
            };
            line(&warning, &Now::fixed(60_000_000))
        };
        assert_eq!(
            said(Code::NodeUnreachable, 2),
            "homelab/pve3 is unreachable since 00:00 (why): 2 rows are unknown"
        );
        assert_eq!(said(Code::NotProxmox, 0), "homelab/pve3 answers what cannot be read since 00:00 (why)");
        assert_eq!(said(Code::LacksPrivilege, 0), "why");
    }
}
