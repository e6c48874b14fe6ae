//! From what a person typed to exactly the containers that are meant. Owns ambiguity, emptiness and
//! `--at-most`; the grammar is core's. Submit takes these refs and nothing else (ARCHITECTURE.md, rule 1).

use lxc_core::picture::{Picture, RemoteView};
use std::collections::HashSet;

use lxc_core::error::{Code, Error, Result};
use lxc_core::ids::{Installation, Vmid};
use lxc_core::selector::{Facts, Query, Selection, What, Word};

use super::access::Caller;
use super::listing::{Listed, no_container};
use super::{Services, store_error};
use crate::inventory::Looked;

/// The containers that are meant.
#[derive(Debug)]
pub struct Resolved {
    /// Each, with the word that named it (empty when a pattern did).
    pub refs: Vec<(Listed, String)>,
    /// A glob, a selector or --all picked them.
    pub by_pattern: bool,
}

impl Resolved {
    /// Where they live, for the journals.
    pub(super) fn containers(&self) -> Vec<(Installation, Vmid)> {
        let key = |item: &Listed| (item.entry.row.installation.clone(), item.entry.row.vmid);
        self.refs.iter().map(|(item, _)| key(item)).collect()
    }
}

impl Services {
    /// Resolves for a verb. `at_most` 0 = no bound.
    ///
    /// # Errors
    /// Exit 2 for what is empty, ambiguous, a VM or too much; 3 for what is not there.
    pub async fn resolve(
        &self,
        caller: &Caller,
        selection: &Selection,
        verb: &str,
        at_most: u32,
    ) -> Result<Resolved> {
        self.access.enter(caller)?;
        let query = Query::parse(selection).map_err(|error| error.for_verb(verb))?;
        self.check_remote(caller, query.remote.as_deref())?;
        if selection.is_empty() {
            return Err(Error::new(Code::EmptySelection, format!("{verb} what?"))
                .because("no target, no selector; empty is never everything")
                .hint(format!("lxcctl {verb} --help")));
        }
        let text = selection.describe();
        let picture = self.inventory.current().await.map_err(store_error)?;
        self.check_all(caller, &query, &picture)?;
        match self.pick(caller, &query, &picture, verb, &text).await {
            // What is not known may be new: ask Proxmox before saying no.
            Err(error) if matches!(error.code, Code::NoContainer | Code::NoMatch) => {
                let Looked { picture, store, late } = self.inventory.look_again().await;
                store.map_err(store_error)?;
                let picked = self.pick(caller, &query, &picture, verb, &text).await;
                picked.map_err(|error| {
                    self.unsure(caller, &query, &picture, &late, &error, &text).unwrap_or(error)
                })
            }
            other => other,
        }
        .and_then(|resolved| bounded(resolved, at_most, verb))
    }

    fn check_all(&self, caller: &Caller, query: &Query, picture: &Picture) -> Result<()> {
        let seen: Vec<&String> = picture.keys().filter(|name| self.access.sees(caller, name)).collect();
        if query.counts_as_all() && query.remote.is_none() && seen.len() > 1 {
            return Err(Error::new(Code::AllRemotes, format!("--all would mean {} remotes", seen.len()))
                .because(seen.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", "))
                .hint(format!("{{line}} --remote {}", seen[0])));
        }
        Ok(())
    }

    async fn pick(
        &self,
        caller: &Caller,
        query: &Query,
        picture: &Picture,
        verb: &str,
        text: &str,
    ) -> Result<Resolved> {
        let all = self.everything(caller, picture).await?;
        let here = |item: &&Listed| {
            let gone = item.entry.row.gone_since.is_some();
            // What Proxmox no longer has can be looked at, forgotten, and deleted by its name: that cleans up. No
            // pattern of another verb means it.
            let named = verb == "delete" && !query.by_pattern();
            (!gone || named || matches!(verb, "show" | "events" | "op ls" | "forget"))
                && query.remote.as_ref().is_none_or(|remote| *remote == item.remote)
        };
        let candidates: Vec<&Listed> = all.iter().filter(here).collect();
        let terms = |facts: &Facts<'_>| query.terms.iter().all(|term| term.matches(facts));
        let mut refs: Vec<(Listed, String)> = Vec::new();
        let mut seen = HashSet::new();
        let mut add = |item: &Listed, typed: &str| {
            if seen.insert(item.entry.row.id) {
                refs.push((item.clone(), typed.to_owned()));
            }
        };
        if query.words.is_empty() {
            candidates.iter().filter(|item| terms(&item.facts())).for_each(|item| add(item, ""));
        }
        for word in &query.words {
            let found: Vec<&&Listed> = candidates
                .iter()
                .filter(|item| word.matches(&item.facts()) && terms(&item.facts()))
                .collect();
            if word.is_pattern() {
                found.iter().for_each(|item| add(item, ""));
                continue;
            }
            match self.preferred(word, &found)[..] {
                [one] => add(one, &word.text),
                [] => return Err(self.not_found(caller, word, picture)),
                ref several => return Err(ambiguous(&word.text, several, verb)),
            }
        }
        if refs.is_empty() {
            let none = Error::new(Code::NoMatch, format!("no container matches {text}"))
                .because("a pattern has to pick at least one")
                .hint("lxcctl ls");
            return Err(match verb {
                "show" | "events" | "op ls" => none,
                _ => none.hint_noted("{line} --if-needed", "nothing to do is then a success"),
            });
        }
        if query.by_pattern() {
            let key = |item: &Listed| (item.entry.row.name.clone(), item.target());
            refs.sort_by_key(|(item, _)| key(item));
        }
        Ok(Resolved { refs, by_pattern: query.by_pattern() })
    }

    /// A bare word that the default remote knows means the one there.
    fn preferred<'a>(&self, word: &Word, found: &[&&'a Listed]) -> Vec<&'a Listed> {
        let found: Vec<&Listed> = found.iter().map(|item| **item).collect();
        if word.remote.is_none()
            && found.len() > 1
            && let Some(default) = self.registry.default_name()
        {
            let there: Vec<&Listed> = found.iter().copied().filter(|item| item.remote == default).collect();
            if !there.is_empty() {
                return there;
            }
        }
        found
    }

    /// Nothing was found, and it may only be that a remote could not be looked at: that is not the same. Of a pattern
    /// what was known of the remote before is enough.
    fn unsure(
        &self,
        caller: &Caller,
        query: &Query,
        picture: &Picture,
        late: &[String],
        nothing: &Error,
        text: &str,
    ) -> Option<Error> {
        if !matches!(nothing.code, Code::NoContainer | Code::NoMatch) {
            return None;
        }
        let asked = |view: &&RemoteView| query.reaches(&view.name) && self.access.sees(caller, &view.name);
        let counts = |view: &&RemoteView| view.polled.is_none() || nothing.code == Code::NoContainer;
        let views = picture.values().map(AsRef::as_ref).filter(asked).filter(counts);
        views.into_iter().find_map(|view| {
            let (code, why) = match &view.trouble {
                Some(trouble) => (trouble.code, trouble.why.clone()),
                None if late.contains(&view.name) => {
                    (Code::RemoteUnreachable, "its answer did not come in time".to_owned())
                }
                None => return None,
            };
            Some(
                Error::new(code, format!("{} cannot be asked whether it has {}", view.name, text))
                    .because(why)
                    .hint(format!("lxcctl remote doctor {}", view.name)),
            )
        })
    }

    fn not_found(&self, caller: &Caller, word: &Word, picture: &Picture) -> Error {
        if let What::Vmid(vmid) = word.what {
            let owner = picture
                .values()
                .filter(|view| self.access.sees(caller, &view.name))
                .filter(|view| word.remote.as_ref().is_none_or(|remote| remote.matches(&view.name)))
                .find(|view| view.vms.contains(&vmid));
            if let Some(view) = owner {
                return Error::new(Code::IsVm, format!("{}/{vmid} is a virtual machine", view.name))
                    .because("lxcctl manages containers only")
                    .hint_noted(format!("qm status {vmid}"), "on its Proxmox node");
            }
        }
        no_container(&word.text)
    }
}

fn bounded(resolved: Resolved, at_most: u32, verb: &str) -> Result<Resolved> {
    let many = resolved.refs.len();
    if at_most > 0 && many > at_most as usize {
        return Err(Error::new(Code::TooMany, format!("{verb} would touch {many} containers"))
            .because(format!("--at-most {at_most} allows no more than that"))
            .hint(format!("{{line}} --at-most {many}")));
    }
    Ok(resolved)
}

fn ambiguous(text: &str, found: &[&Listed], verb: &str) -> Error {
    let what = if text.bytes().all(|b| b.is_ascii_digit()) { "the number" } else { "the name" };
    let mut error = Error::new(Code::Ambiguous, format!("{text} is {what} of {} containers", found.len()));
    let mut found = found.to_vec();
    found.sort_by_key(|item| item.target());
    let width =
        |of: fn(&Listed) -> String| found.iter().map(|item| of(item).chars().count()).max().unwrap_or(0);
    let name = |item: &Listed| item.entry.row.name.clone().unwrap_or_else(|| "-".to_owned());
    let (targets, names, statuses) = (width(Listed::target), width(name), width(|item| item.status.clone()));
    for item in &found {
        error.why.push(format!(
            "{:targets$}  {:names$}  {:statuses$}  {}",
            item.target(),
            name(item),
            item.status,
            item.entry.row.node
        ));
    }
    // The last one listed is as good a guess as any; what matters is that it works as it stands.
    let suggestion = found.last().map_or_else(|| text.to_owned(), |item| item.target());
    error.hint(format!("lxcctl {verb} {suggestion}"))
}
