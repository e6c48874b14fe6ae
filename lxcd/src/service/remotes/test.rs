//! `remote test`: the first questions to a remote, one by one. Owns the questions and their words; must not
//! change anything.

use lxc_core::record::RemoteRecord;
use std::time::{Duration, Instant};

use lxc_core::error::{Error, Result};
use lxc_core::ports::PveError;
use lxc_core::text;

use super::words::pve_error;
use crate::pve::Rows;
use crate::service::Services;
use crate::service::access::{Caller, no_remote};

/// One question of `remote test`.
#[derive(Debug)]
pub struct RemoteCheck {
    /// What was asked for.
    pub name: &'static str,
    /// What came back, in words.
    pub detail: String,
    /// Or why nothing did.
    pub error: Option<Error>,
    /// How long it took.
    pub took: Duration,
}

impl RemoteCheck {
    fn new(
        remote: &RemoteRecord,
        name: &'static str,
        began: Instant,
        answer: Result<String, PveError>,
    ) -> Self {
        let took = began.elapsed();
        match answer {
            Ok(detail) => Self { name, detail, error: None, took },
            Err(error) => {
                let error = pve_error(&remote.name, &remote.token_id, &error);
                Self { name, detail: String::new(), error: Some(error), took }
            }
        }
    }
}

impl Services {
    /// Asks a remote the first questions, one by one, stopping at none.
    ///
    /// # Errors
    /// LXC0302 when it is not there.
    pub async fn test_remote(&self, caller: &Caller, name: &str) -> Result<(RemoteRecord, Vec<RemoteCheck>)> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "remote test", name, &remote.row.owner)?;
        let client = &remote.client;
        let mut checks = Vec::new();
        let began = Instant::now();
        let version = client.version().await;
        let detail = |v: lxc_core::pve::Version| format!("PVE {}", v.version);
        checks.push(RemoteCheck::new(&remote.row, "api", began, version.map(detail)));
        let began = Instant::now();
        let nodes = client.nodes().await;
        let detail = |nodes: &Vec<lxc_core::pve::Node>| {
            let online = nodes.iter().filter(|node| node.online).count();
            format!("{online} of {} online", nodes.len())
        };
        checks.push(RemoteCheck::new(
            &remote.row,
            "nodes",
            began,
            nodes.as_ref().map(detail).map_err(Clone::clone),
        ));
        for node in nodes.unwrap_or_default().iter().filter(|node| node.online) {
            let began = Instant::now();
            let list = client.list_lxc(&node.name).await;
            let detail = |list: Rows<lxc_core::pve::Live>| {
                let counted = |number, what| text::counted(u64::try_from(number).unwrap_or(u64::MAX), what);
                let containers = format!("{}: {}", node.name, counted(list.rows.len(), "container"));
                match list.unread.len() {
                    0 => containers,
                    unread => format!("{containers}; {} cannot be read", counted(unread, "row")),
                }
            };
            checks.push(RemoteCheck::new(&remote.row, "list", began, list.map(detail)));
        }
        Ok((remote.row.clone(), checks))
    }
}
