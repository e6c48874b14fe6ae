//! Is every URL and node reached, and is what they show what is trusted? Owns those two lines.

use std::time::Instant;

use jiff::Timestamp;
use lxc_core::error::{Code, Error, Result, Try, moment};
use lxc_core::ids::Micros;
use lxc_core::ports::PveError;
use lxc_core::pve::{Certificate, ClusterMember, Node};
use lxc_core::record::RemoteRecord;
use lxc_core::selector::quote;
use lxc_core::timing::micros;

use super::super::fault;
use super::{Diagnosis, Finding, brief};
use crate::pve::{ApiUrl, CaBundle, probe};
use crate::service::Services;
use crate::service::registry::Remote;

/// A certificate that ends sooner is worth a word.
const SOON: Micros = 30 * 86_400 * 1_000_000;

/// `2028-03-02`
pub(super) fn day(at: Micros) -> String {
    Timestamp::from_microsecond(at).map_or_else(|_| "-".to_owned(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// A cluster with one URL is out of reach while the node behind that is down, though the others do their work.
fn second_way(row: &RemoteRecord, members: &[ClusterMember]) -> Option<Try> {
    let [only] = &row.urls[..] else { return None };
    let port = only.parse::<ApiUrl>().ok()?.port();
    let other = members.iter().find(|member| member.online && !member.local && member.ip.is_some())?;
    let host =
        other.ip.as_deref().map(|ip| if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() })?;
    Some(Try {
        command: format!("lxcctl remote set {} --url {only} --url https://{host}:{port}", quote(&row.name)),
        note: format!("{} too, or one dead node takes the cluster out of reach", other.name),
    })
}

impl Services {
    /// True when somebody answers who takes the token.
    pub(super) async fn look_at_contact(&self, remote: &Remote, into: &mut Diagnosis) -> Result<bool> {
        let client = &remote.client;
        let answers = client.versions().await;
        let (mut parts, mut worse) = (Vec::new(), false);
        for (reach, (took, answer)) in client.reach().iter().zip(&answers) {
            let host = reach.url.host();
            parts.push(match answer {
                Ok(_) => format!("{host} {}ms", took.as_millis()),
                Err(error) => {
                    worse = true;
                    let why = brief(error, &reach.url.authority());
                    let since = reach.down.as_ref().map(|(ago, _)| self.now() - micros(*ago));
                    format!(
                        "{host} {why}{}",
                        since.map_or_else(String::new, |at| format!(" since {}", moment(at)))
                    )
                }
            });
        }
        let good = answers.iter().any(|(_, answer)| answer.is_ok());
        if good {
            match client.nodes().await {
                Ok(nodes) => {
                    worse |= self.look_at_nodes(remote, &nodes, &mut parts).await;
                    // Unknown addresses are no finding: then there is only nothing to suggest.
                    let members =
                        client.cluster_status().await.map(|status| status.members).unwrap_or_default();
                    into.hints.extend(second_way(&remote.row, &members));
                }
                Err(error) => {
                    worse = true;
                    parts.push(format!("the nodes: {error}"));
                }
            }
        }
        let result = if !good {
            "failed"
        } else if worse {
            "warning"
        } else {
            "ok"
        };
        into.findings.push(Finding::new("api", result, parts.join(", ")));
        self.look_at_certificates(remote, into).await?;
        if let (false, Some((_, Err(error)))) = (good, answers.first()) {
            into.errors.push(fault(remote, error));
        }
        Ok(good)
    }

    /// The nodes no URL leads to, asked through the others. True when one does not answer.
    async fn look_at_nodes(&self, remote: &Remote, nodes: &[Node], parts: &mut Vec<String>) -> bool {
        let reach = remote.client.reach();
        // A lone URL that nobody could name is the lone node's.
        let alone = nodes.len() == 1;
        let behind =
            |node: &&Node| !alone && !reach.iter().any(|one| one.node.as_deref() == Some(&node.name));
        let picture = self.inventory.picture();
        let view = picture.get(&remote.row.name);
        let since = |name: &str| {
            let trouble = view.and_then(|view| view.nodes.get(name)).and_then(|node| node.trouble.as_ref());
            trouble.map_or_else(String::new, |trouble| format!(" since {}", moment(trouble.since)))
        };
        let mut worse = false;
        for node in nodes.iter().filter(behind) {
            let began = Instant::now();
            let answer: Result<(), PveError> = match node.online {
                true => remote.client.list_lxc(&node.name).await.map(|_| ()),
                false => Err(PveError::NotDelivered("offline".to_owned())),
            };
            parts.push(match answer {
                Ok(()) => format!("{} {}ms", node.name, began.elapsed().as_millis()),
                Err(error) => {
                    worse = true;
                    format!("{} {}{}", node.name, brief(&error, ""), since(&node.name))
                }
            });
        }
        worse
    }

    async fn look_at_certificates(&self, remote: &Remote, into: &mut Diagnosis) -> Result<()> {
        let row = &remote.row;
        let ca = row.ca_pem.as_ref().map(|pem| CaBundle::from_pem(pem.as_bytes())).transpose()?;
        let reach = remote.client.reach();
        let looks = reach.iter().map(|one| probe(&one.url, ca.as_ref()));
        let shown = futures::future::join_all(looks).await;
        let pinned = |url: &str, shown: &Certificate| {
            let counts = |pin: &&lxc_core::record::Pin| pin.url == url || pin.url.starts_with("node:");
            row.pins.iter().filter(counts).any(|pin| pin.fingerprint == shown.fingerprint.to_string())
        };
        let mut ends: Vec<Micros> = row.pins.iter().filter_map(|pin| pin.not_after).collect();
        let mut strange = Vec::new();
        for (one, shown) in reach.iter().zip(&shown) {
            let Ok(shown) = shown else { continue };
            if !shown.vouched && !pinned(&one.url.to_string(), shown) {
                strange.push(format!("{} shows {}", one.url.authority(), shown.fingerprint));
            }
            ends.extend(shown.not_after);
        }
        if !strange.is_empty() {
            into.findings.push(Finding::new("certificate", "failed", strange.join(", ")));
            into.errors.push(
                Error::new(
                    Code::CertificateChanged,
                    format!("{} shows a certificate that is not trusted", row.name),
                )
                .because("renewed on the node, or somebody stands in between")
                .hint_noted(
                    format!("lxcctl remote trust {} --rotate", row.name),
                    "if pvenode cert info says the same",
                ),
            );
            return Ok(());
        }
        let what = match row.pins.len() {
            0 if row.ca_pem.is_some() => "vouched for by its own CA".to_owned(),
            0 => "vouched for by the system".to_owned(),
            1 => "1 pin".to_owned(),
            many => format!("{many} pins"),
        };
        let first = ends.into_iter().min();
        let (result, until) = match first {
            Some(at) if at < self.now() => ("warning", format!(", expired {}", day(at))),
            Some(at) if row.pins.len() > 1 => ("ok", format!(", the first expires {}", day(at))),
            Some(at) => ("ok", format!(", expires {}", day(at))),
            None => ("ok", String::new()),
        };
        let result = if first.is_some_and(|at| at < self.now() + SOON) { "warning" } else { result };
        into.findings.push(Finding::new("certificate", result, format!("{what}{until}")));
        Ok(())
    }
}
