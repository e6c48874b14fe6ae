//! The columns of `ls`: what each shows, how it sorts, when it goes. Owns those as pure functions of a
//! container; must not know the command line.

use std::cmp::Ordering;

use lxc_core::text;

use crate::client::view::Container;
use crate::ui::style::Tone;
use crate::ui::table::{Cell, Column};
use crate::ui::time::Now;

/// One column of the list.
pub(super) struct Shown {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// Its place and header.
    pub(super) column: Column,
    cell: fn(&Container, &Now) -> Cell,
    order: fn(&Container, &Container, bool) -> Ordering,
}

impl Shown {
    /// What stands there.
    pub(super) fn cell(&self, container: &Container, now: &Now) -> Cell {
        let cell = (self.cell)(container, now);
        // A row nobody can vouch for is dim but for its status.
        let stale = container.status == "unknown" || container.freshness == "stale";
        if stale { cell.stale() } else { cell }
    }

    /// Which of two comes first. What is not known comes last, whichever way round.
    pub(super) fn order(&self, a: &Container, b: &Container, turned: bool) -> Ordering {
        (self.order)(a, b, turned)
    }
}

/// What is shown without being asked for.
pub(super) const USUAL: [&str; 10] =
    ["target", "name", "status", "node", "ip", "cpu", "memory", "uptime", "template", "services"];

macro_rules! by {
    ($field:ident) => {
        |a, b, turned| known_first(a.$field.as_ref(), b.$field.as_ref(), turned)
    };
}

/// Every column, in the order of `wide`.
pub(super) fn all() -> Vec<Shown> {
    let shown = |name, column, cell, order| Shown { name, column, cell, order };
    vec![
        shown(
            "target",
            Column::left("TARGET"),
            |c, _| Cell::toned(&c.target, Tone::Bold),
            |a, b, turned| turn((&a.remote, a.vmid).cmp(&(&b.remote, b.vmid)), turned),
        ),
        shown("name", Column::left("NAME").shrinks(), |c, _| Cell::known(c.name.as_ref()), by!(name)),
        shown(
            "status",
            Column::left("STATUS"),
            |c, _| Cell::toned(&c.status, Tone::of_status(&c.status)),
            |a, b, turned| turn(a.status.cmp(&b.status), turned),
        ),
        shown("node", Column::left("NODE").goes(7), |c, _| Cell::known(c.node.as_ref()), by!(node)),
        shown("ip", Column::left("IP").goes(6), |c, _| Cell::known(c.ip.as_ref()), by!(ip)),
        shown(
            "cpu",
            Column::right("CPU").goes(4),
            |c, _| Cell::known(c.cpu.map(text::percent)),
            |a, b, turned| known_first(a.cpu, b.cpu, turned),
        ),
        shown(
            "memory",
            Column::right("MEMORY").goes(5),
            |c, _| Cell::new(of(c.memory_bytes, c.memory_max_bytes)),
            |a, b, turned| known_first(a.memory_bytes, b.memory_bytes, turned),
        ),
        shown(
            "uptime",
            Column::right("UPTIME").goes(3),
            |c, _| Cell::known(c.uptime_seconds.filter(|&s| s > 0).map(text::uptime)),
            |a, b, turned| known_first(a.uptime_seconds, b.uptime_seconds, turned),
        ),
        shown(
            "template",
            Column::left("TEMPLATE").goes(1),
            |c, _| Cell::known(c.template.as_ref()),
            by!(template),
        ),
        shown(
            "services",
            Column::right("SERVICES").goes(2),
            |c, _| Cell::known(c.services_healthy.zip(c.services_total).map(|(h, t)| format!("{h}/{t}"))),
            |a, b, turned| known_first(a.services_healthy, b.services_healthy, turned),
        ),
        shown(
            "disk",
            Column::right("DISK").goes(0),
            |c, _| Cell::new(of(c.disk_bytes, c.disk_max_bytes)),
            |a, b, turned| {
                known_first(a.disk_bytes.or(a.disk_max_bytes), b.disk_bytes.or(b.disk_max_bytes), turned)
            },
        ),
        shown(
            "swap",
            Column::right("SWAP").goes(0),
            |c, _| Cell::new(of(c.swap_bytes, c.swap_max_bytes)),
            |a, b, turned| known_first(a.swap_bytes, b.swap_bytes, turned),
        ),
        shown(
            "cpus",
            Column::right("CPUS").goes(0),
            |c, _| Cell::known(c.cpus.map(|n| n.to_string())),
            |a, b, turned| known_first(a.cpus, b.cpus, turned),
        ),
        shown(
            "tags",
            Column::left("TAGS").goes(0).shrinks(),
            |c, _| Cell::known(Some(c.tags.join(","))),
            |a, b, turned| turn(a.tags.cmp(&b.tags), turned),
        ),
        shown("pool", Column::left("POOL").goes(0), |c, _| Cell::known(c.pool.as_ref()), by!(pool)),
        shown("lock", Column::left("LOCK").goes(0), |c, _| Cell::known(c.pve_lock.as_ref()), by!(pve_lock)),
        shown("ha", Column::left("HA").goes(0), |c, _| Cell::known(c.ha_state.as_ref()), by!(ha_state)),
        shown("os", Column::left("OS").goes(0), |c, _| Cell::known(c.os_type.as_ref()), by!(os_type)),
        shown(
            "lifecycle",
            Column::left("LIFECYCLE").goes(0),
            |c, _| Cell::new(&c.lifecycle),
            |a, b, turned| turn(a.lifecycle.cmp(&b.lifecycle), turned),
        ),
        shown("power", Column::left("POWER").goes(0), |c, _| Cell::known(c.power.as_ref()), by!(power)),
        shown(
            "created",
            Column::left("CREATED").goes(0),
            |c, now| Cell::known(c.created_at.map(|at| now.ago(at))),
            |a, b, turned| known_first(a.created_at, b.created_at, turned),
        ),
        shown(
            "observed",
            Column::left("OBSERVED").goes(0),
            |c, now| Cell::known(c.observed_at.map(|at| now.ago(at))),
            |a, b, turned| known_first(a.observed_at, b.observed_at, turned),
        ),
        shown(
            "freshness",
            Column::left("FRESHNESS").goes(0),
            |c, _| Cell::new(&c.freshness),
            |a, b, turned| turn(a.freshness.cmp(&b.freshness), turned),
        ),
    ]
}

/// `412Mi / 2.0Gi`, `-` for what is not known or not there.
fn of(part: Option<u64>, whole: Option<u64>) -> String {
    match (part, whole) {
        (None, None) | (None | Some(0), Some(0)) => "-".to_owned(),
        (part, whole) => {
            let figure = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), text::bytes);
            format!("{} / {}", figure(part), figure(whole))
        }
    }
}

fn turn(order: Ordering, turned: bool) -> Ordering {
    if turned { order.reverse() } else { order }
}

fn known_first<T: PartialOrd>(a: Option<T>, b: Option<T>, turned: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => turn(a.partial_cmp(&b).unwrap_or(Ordering::Equal), turned),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}
