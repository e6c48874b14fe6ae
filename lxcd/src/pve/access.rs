//! Users, tokens, roles and the list of who has them, and the nodes' clocks: what `remote doctor` asks. Owns
//! their paths and shapes; must not judge them (core's `privileges`).

use std::collections::BTreeSet;

use lxc_core::ports::PveError;
use lxc_core::privileges::{Acl, AclEntry};
use lxc_core::pve::{RefusalKind, TaskEntry};
use serde::Deserialize;

use super::answer::Answer;
use super::client::{PveClient, segment};
use super::metrics::Class;
use super::scalar::Scalar;
use super::tasks;
use super::transport::{LIST, Request};

/// What is known of a token, or of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenFacts {
    /// When it ends, seconds since the epoch; None = never.
    pub expires: Option<i64>,
    /// It has privileges of its own only.
    pub separated: bool,
    /// Groups of its user.
    pub groups: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TokenRow {
    tokenid: Scalar,
    expire: Scalar,
    privsep: Scalar,
}

impl TokenRow {
    fn facts(&self) -> TokenFacts {
        let expires = self.expire.integer().filter(|at| *at > 0);
        // Proxmox leaves out what is as usual, and usual is separated.
        let separated = self.privsep == Scalar::Absent || self.privsep.flag();
        TokenFacts { expires, separated, groups: Vec::new() }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UserRow {
    userid: Scalar,
    groups: Scalar,
    tokens: Vec<TokenRow>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AclRow {
    path: Scalar,
    r#type: Scalar,
    ugid: Scalar,
    roleid: Scalar,
    propagate: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RoleRow {
    roleid: Scalar,
    privs: Scalar,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TimeRow {
    time: Scalar,
}

fn words(text: Scalar) -> Vec<String> {
    let text = text.text().unwrap_or_default();
    text.split([',', ' ', ';']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// `/access/users?full=1`, one token of one user.
fn in_users(answer: Answer<'_>, user: &str, token: &str) -> Result<Option<TokenFacts>, PveError> {
    let rows: Vec<UserRow> = answer.rows()?;
    let row = rows.into_iter().find(|row| row.userid.clone().text().as_deref() == Some(user));
    Ok(row.and_then(|row| {
        let found = row.tokens.iter().find(|one| one.tokenid.clone().text().as_deref() == Some(token))?;
        Some(TokenFacts { groups: words(row.groups), ..found.facts() })
    }))
}

fn acl_rows(answer: Answer<'_>) -> Result<Vec<AclEntry>, PveError> {
    let rows: Vec<AclRow> = answer.rows()?;
    let entry = |row: AclRow| {
        Some(AclEntry {
            path: row.path.word()?,
            kind: row.r#type.word()?,
            who: row.ugid.word()?,
            role: row.roleid.word()?,
            propagate: row.propagate == Scalar::Absent || row.propagate.flag(),
        })
    };
    Ok(rows.into_iter().filter_map(entry).collect())
}

impl PveClient {
    async fn ask(&self, node: &str, path: &str) -> Result<super::exchange::Received, PveError> {
        self.transport.get(Request { class: Class::Access, node, path, limit: LIST }).await
    }

    /// What is known of the token `user@realm!name`; None when Proxmox does not let it look.
    ///
    /// # Errors
    /// As any question.
    pub async fn token_facts(&self, id: &str) -> Result<Option<TokenFacts>, PveError> {
        let Some((user, token)) = id.split_once('!') else { return Ok(None) };
        // The list of users also tells their groups, and opens with Sys.Audit already.
        let listed = self.ask("", "/access/users?full=1").await;
        if let Ok(Some(facts)) = listed.and_then(|received| in_users(received.answer(), user, token)) {
            return Ok(Some(facts));
        }
        let path = format!("/access/users/{}/token/{}", segment(user), segment(token));
        match self.ask("", &path).await {
            Ok(received) => received.answer().object::<TokenRow>().map(|row| Some(row.facts())),
            Err(PveError::Refused(refusal)) if matches!(refusal.kind, RefusalKind::Permission { .. }) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Who has which role where, and what the roles are; None when Proxmox shows none of it.
    ///
    /// # Errors
    /// As any question.
    pub async fn acl(&self) -> Result<Option<Acl>, PveError> {
        let entries = acl_rows(self.ask("", "/access/acl").await?.answer())?;
        if entries.is_empty() {
            return Ok(None);
        }
        let received = self.ask("", "/access/roles").await?;
        let rows: Vec<RoleRow> = received.answer().rows()?;
        let role =
            |row: RoleRow| Some((row.roleid.word()?, words(row.privs).into_iter().collect::<BTreeSet<_>>()));
        Ok(Some(Acl { entries, roles: rows.into_iter().filter_map(role).collect() }))
    }

    /// The clock of a node, seconds since the epoch.
    ///
    /// # Errors
    /// `Refused(Permission)` without Sys.Audit; else as any question.
    pub async fn node_time(&self, node: &str) -> Result<i64, PveError> {
        let received = self.ask(node, &format!("/nodes/{}/time", segment(node))).await?;
        let answer = received.answer();
        let row: TimeRow = answer.object()?;
        row.time.integer().ok_or_else(|| answer.garbage("no time"))
    }

    /// Tasks of one token on a node that began at or after `since`, in the node's clock.
    ///
    /// # Errors
    /// As any question.
    pub async fn tasks_by(&self, node: &str, identity: &str, since: i64) -> Result<Vec<TaskEntry>, PveError> {
        // Active and archived rows spell the token apart: asked by the user, told by the UPID.
        let user = identity.split('!').next().unwrap_or(identity);
        let (node_segment, user) = (segment(node), segment(user));
        let path =
            format!("/nodes/{node_segment}/tasks?source=all&limit=500&since={since}&userfilter={user}");
        let mut all = tasks::entries(self.ask(node, &path).await?.answer())?;
        all.retain(|task| task.upid.user == identity);
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> Answer<'_> {
        Answer { from: "h:1", status: 200, reason: "OK", body: body.as_bytes() }
    }

    #[test]
    fn a_token_is_found_among_its_users() {
        let json = r#"{"data":[{"userid":"a@pve","tokens":[{"tokenid":"cli","expire":0,"privsep":0}]},
            {"userid":"b@pve","groups":"x,y","tokens":[{"tokenid":"cli","expire":"1900000000"}]},{"userid":"c@pve"}]}"#;
        let facts = |user| in_users(answer(json), user, "cli").unwrap();
        assert_eq!(facts("a@pve"), Some(TokenFacts::default()));
        let groups = vec!["x".to_owned(), "y".to_owned()];
        assert_eq!(
            facts("b@pve"),
            Some(TokenFacts { expires: Some(1_900_000_000), separated: true, groups })
        );
        assert_eq!(facts("c@pve"), None);
        assert_eq!(facts("d@pve"), None);
    }

    #[test]
    fn an_entry_holds_below_unless_it_says_not() {
        let json = r#"{"data":[{"path":"/","type":"user","ugid":"a@pve","roleid":"R"},
            {"path":"/vms","type":"token","ugid":"a@pve!t","roleid":"R","propagate":0},{"path":"/x"}]}"#;
        let rows = acl_rows(answer(json)).unwrap();
        assert_eq!(rows.iter().map(|row| row.propagate).collect::<Vec<_>>(), [true, false]);
    }
}
