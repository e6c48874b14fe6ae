//! `remote doctor`: everything about a remote that can be wrong, looked at. Owns the order of the looks and the
//! verdict; must not change anything.

mod contact;
mod rights;
mod shell;
mod work;

use lxc_core::error::{Error, Result, Try};
use lxc_core::ports::PveError;
use lxc_core::record::RemoteRecord;

use crate::service::Services;
use crate::service::access::{Caller, no_remote};

/// One line of the doctor's.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What was looked at: `api`, `list, power`.
    pub name: String,
    /// `ok`, `warning`, `missing`, `failed`
    pub result: &'static str,
    /// What was seen.
    pub detail: String,
}

impl Finding {
    fn new(name: impl Into<String>, result: &'static str, detail: impl Into<String>) -> Self {
        Self { name: name.into(), result, detail: detail.into() }
    }
}

/// What the doctor says.
#[derive(Debug, Default)]
pub struct Diagnosis {
    /// Line by line.
    pub findings: Vec<Finding>,
    /// What keeps something from working, the first reason first.
    pub errors: Vec<Error>,
    /// What would be better.
    pub hints: Vec<Try>,
}

impl Services {
    /// Looks at everything about a remote that can be wrong.
    ///
    /// # Errors
    /// LXC0302 when it is not there.
    pub async fn doctor(&self, caller: &Caller, name: &str) -> Result<(RemoteRecord, Diagnosis)> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "remote test", name, &remote.row.owner)?;
        let mut diagnosis = Diagnosis::default();
        let answers = self.look_at_contact(&remote, &mut diagnosis).await?;
        if answers {
            self.look_at_rights(&remote, &mut diagnosis).await;
            self.look_at_ssh(&remote, &mut diagnosis).await;
            self.look_at_work(&remote, &mut diagnosis).await?;
        }
        Ok((remote.row.clone(), diagnosis))
    }
}

/// What went wrong on the way, as it stands in a table: `595 No route to host` is `no route to host`.
fn brief(error: &PveError, authority: &str) -> String {
    let text = error.to_string();
    let text = text.strip_prefix(authority).map_or(text.as_str(), |rest| rest.trim_start_matches(": "));
    let text = text.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_connection_in_few_words() {
        let of = |text: &str| brief(&PveError::NotDelivered(text.into()), "pve1.lan:8006");
        assert_eq!(of("595 No route to host"), "no route to host");
        assert_eq!(of("pve1.lan:8006: Connection refused"), "connection refused");
        assert_eq!(of("595"), "");
    }
}
