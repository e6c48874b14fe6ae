//! Is the token good, and may it do what people will ask of it? Owns those lines; what is needed for what, and
//! what helps, is core's `privileges`.

use lxc_core::error::{Code, Error, Try};
use lxc_core::privileges::{self, Acl, Need, Subject};
use lxc_core::pve::Permissions;
use lxc_core::text;

use super::super::fault;
use super::super::words::user_of;
use super::contact::day;
use super::{Diagnosis, Finding};
use crate::pve::TokenFacts;
use crate::service::Services;
use crate::service::registry::Remote;

/// A token that ends sooner is worth a word, in seconds.
const SOON: u64 = 30 * 86_400;
/// What a hint for later is about.
const ON_A_NODE: &str = "on a Proxmox node";

impl Services {
    pub(super) async fn look_at_rights(&self, remote: &Remote, into: &mut Diagnosis) {
        let (client, id) = (&remote.client, &remote.row.token_id);
        let facts = client.token_facts(id).await.unwrap_or_default();
        into.findings.push(self.token(id, facts.as_ref()));
        let held = match client.permissions().await {
            Ok(held) => held,
            Err(error) => {
                into.findings.push(Finding::new("privileges", "failed", error.to_string()));
                into.errors.push(fault(remote, &error));
                return;
            }
        };
        // Only for the advice: without it the advice names more than may be needed.
        let acl = client.acl().await.ok().flatten();
        let subject = Subject {
            user: user_of(id).to_owned(),
            groups: facts.as_ref().map(|facts| facts.groups.clone()).unwrap_or_default(),
            token: id.contains('!').then(|| id.clone()),
            separated: facts.as_ref().map(|facts| facts.separated),
        };
        judge(&remote.row.name, &held, acl.as_ref(), &subject, into);
    }

    /// `lxcd@pve!cli, never expires, no privilege separation`
    fn token(&self, id: &str, facts: Option<&TokenFacts>) -> Finding {
        let Some(facts) = facts else {
            return Finding::new("token", "ok", format!("{id}, accepted; it may not read more about itself"));
        };
        let now = self.now() / 1_000_000;
        let (result, until) = match facts.expires {
            None => ("ok", "never expires".to_owned()),
            Some(at) => {
                let left = u64::try_from(at - now).unwrap_or(0);
                let result = if left < SOON { "warning" } else { "ok" };
                (result, format!("expires {}, in {}", day(at.saturating_mul(1_000_000)), text::age(left)))
            }
        };
        let separated = if facts.separated { "privilege separation" } else { "no privilege separation" };
        Finding::new("token", result, format!("{id}, {until}, {separated}"))
    }
}

/// `VM.Config.CPU, VM.Config.Disk on /vms, SDN.Use on /sdn/zones`
fn places(needs: &[Need]) -> String {
    let one = |alike: &[Need]| {
        let names: Vec<&str> = alike.iter().map(|need| need.privilege).collect();
        format!("{} on {}", names.join(", "), alike.first().map_or("/", |need| need.path))
    };
    needs.chunk_by(|a, b| a.path == b.path).map(one).collect::<Vec<_>>().join(", ")
}

/// `a, b and c`
fn listed(names: &[&str]) -> String {
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

fn judge(name: &str, held: &Permissions, acl: Option<&Acl>, subject: &Subject, into: &mut Diagnosis) {
    let (mut missing, mut wanting) = (Vec::new(), Vec::new());
    for one in privileges::stand(held) {
        let activities = one.activities.join(", ");
        into.findings.push(if !one.missing.is_empty() {
            Finding::new(activities, "missing", places(&one.missing))
        } else if !one.wanting.is_empty() {
            Finding::new(activities, "warning", format!("lacks {}", places(&one.wanting)))
        } else {
            Finding::new(activities, "ok", one.held.join(", "))
        });
        missing.extend(one.missing);
        wanting.extend(one.wanting);
    }
    let lines = privileges::grants(&wanting, acl, subject, held);
    if missing.is_empty() {
        into.hints.extend(lines.into_iter().map(|command| Try { command, note: ON_A_NODE.to_owned() }));
        return;
    }
    let count = match missing.len() {
        1 => "1 privilege".to_owned(),
        many => format!("{many} privileges"),
    };
    let refused = listed(&privileges::refused(&missing));
    let mut error =
        Error::new(Code::LacksPrivilege, format!("{name} lacks {count}; {refused} will be refused"));
    error.why = standing(acl, subject, &missing);
    for line in privileges::grants(&missing, acl, subject, held) {
        error = error.hint_noted(line, ON_A_NODE);
    }
    into.errors.push(error);
}

/// `lxcd@pve has PVEVMUser and PVEAuditor on /`
fn standing(acl: Option<&Acl>, subject: &Subject, missing: &[Need]) -> Vec<String> {
    let path = missing.first().map_or("/", |need| need.path);
    let own = subject.token.as_deref().filter(|_| subject.separated == Some(true));
    let Some(acl) = acl else {
        let separated = own.map(|id| format!("{id} has no more than both it and {} have", subject.user));
        return vec![separated.unwrap_or_else(|| format!("{} may not do so on Proxmox", subject.user))];
    };
    let line = |kind: &str, who: &str| match acl.roles_at(kind, who, path) {
        Some((at, roles)) => format!("{who} has {} on {at}", listed(&roles)),
        None => format!("{who} has no role of its own"),
    };
    let mut lines = vec![line("user", &subject.user)];
    if let Some(id) = own {
        lines.push(format!("{}, and with privilege separation it needs both", line("token", id)));
    }
    lines
}
