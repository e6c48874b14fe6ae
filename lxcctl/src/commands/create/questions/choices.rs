//! What there is to choose from, as rows of lists. Pure: what the daemon told in, rows with what each of them means out.
//! OS images, and the nodes that have them, are `images`'.

use std::collections::BTreeMap;

use lxc_core::text;

use crate::client::view::{Remote, Survey, SurveyedNode, Template};
use crate::ui::escape::{escape, width};

/// So many packages of a list are named.
const NAMED: usize = 4;

/// The rows of a list, what stays on the screen of each, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choices<T> {
    /// As they are shown to choose from.
    pub(super) rows: Vec<String>,
    /// As an answer is shown.
    pub(super) shown: Vec<String>,
    /// What they mean.
    pub(super) values: Vec<T>,
}

impl<T> Choices<T> {
    /// Of (meaning, word, note), the notes below each other.
    pub(super) fn of(all: Vec<(T, String, String)>) -> Self {
        let widest = all.iter().map(|(_, word, _)| width(&escape(word))).max().unwrap_or(0);
        let mut choices = Self { rows: Vec::new(), shown: Vec::new(), values: Vec::new() };
        for (value, word, note) in all {
            let word = escape(&word).into_owned();
            let gap = " ".repeat(widest.saturating_sub(width(&word)) + 2);
            choices.rows.push(format!("{word}{gap}{}", escape(&note)).trim_end().to_owned());
            choices.shown.push(word);
            choices.values.push(value);
        }
        choices
    }

    /// Nothing to choose.
    pub(super) fn is_settled(&self) -> bool {
        self.values.len() < 2
    }
}

/// What is made from a template, or from an image alone: its place among them.
pub(super) fn templates(all: &[Template]) -> Choices<Option<usize>> {
    let one = |(place, template): (usize, &Template)| {
        let size = format!(
            "{}, {}, {}",
            text::counted(u64::from(template.cpu), "core"),
            text::bytes(template.memory_bytes),
            text::bytes(template.disk_bytes)
        );
        let note = format!("{}; {size}; {}", wanted(template), template.parts());
        (Some(place), template.name.clone(), note)
    };
    let none = (None, "none".to_owned(), "an OS image and nothing more".to_owned());
    Choices::of(all.iter().enumerate().map(one).chain([none]).collect())
}

/// What a template takes as OS image.
pub(super) fn wanted(template: &Template) -> String {
    match &template.version {
        Some(version) => format!("{}-{version}", template.os),
        None => template.os.clone(),
    }
}

/// The remotes, by name.
pub(super) fn remotes(all: &[Remote]) -> Choices<String> {
    let note = |remote: &Remote| {
        let counted = |number: usize, what: &str| text::counted(number as u64, what);
        format!(
            "{}, {}",
            counted(remote.nodes.len(), "node"),
            counted(remote.containers as usize, "container")
        )
    };
    Choices::of(all.iter().map(|remote| (remote.name.clone(), remote.name.clone(), note(remote))).collect())
}

/// The nodes it can still be put on.
pub(super) fn possible<'a>(
    survey: &'a Survey,
    node: Option<&'a str>,
) -> impl Iterator<Item = &'a SurveyedNode> {
    survey.nodes.iter().filter(move |one| node.is_none_or(|node| node == "auto" || one.name == node))
}

/// The storages that take root disks; None = the one with most room. Nothing to choose where there is only one.
pub(super) fn storages(survey: &Survey, node: Option<&str>) -> Choices<Option<String>> {
    let mut rooms: BTreeMap<&str, Option<u64>> = BTreeMap::new();
    for (name, free) in possible(survey, node).flat_map(|node| &node.storages) {
        let room = rooms.entry(name).or_default();
        *room = (*room).max(*free);
    }
    let note =
        |free: Option<u64>| free.map_or_else(String::new, |free| format!("{} free", text::bytes(free)));
    let auto = (None, "auto".to_owned(), "the one with most room".to_owned());
    let several = rooms.len() > 1;
    let all = rooms.into_iter().map(|(name, free)| (Some(name.to_owned()), name.to_owned(), note(free)));
    Choices::of([auto].into_iter().chain(all.filter(|_| several)).collect())
}

/// The bridges; None = vmbr0, else the first of the node. Nothing to choose where there is only one.
pub(super) fn bridges(survey: &Survey, node: Option<&str>) -> Choices<Option<String>> {
    let mut on: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in possible(survey, node) {
        for bridge in &one.bridges {
            on.entry(bridge).or_default().push(&one.name);
        }
    }
    let several = on.len() > 1;
    let auto = (None, "auto".to_owned(), "vmbr0, else the first of the node".to_owned());
    let all = on.into_iter().map(|(name, on)| (Some(name.to_owned()), name.to_owned(), on.join(", ")));
    Choices::of([auto].into_iter().chain(all.filter(|_| several)).collect())
}

/// Where an IPv4 address comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ip {
    /// From a DHCP server, which is what nobody has to say.
    Dhcp,
    /// It is asked for.
    Static,
    /// There is none.
    None,
}

/// … as a list.
pub(super) fn addressing() -> Choices<Ip> {
    let row = |ip, word: &str, note: &str| (ip, word.to_owned(), note.to_owned());
    Choices::of(vec![
        row(Ip::Dhcp, "dhcp", "from the network"),
        row(Ip::Static, "static", "an address of your own"),
        row(Ip::None, "none", "no IPv4 at all"),
    ])
}

/// The pieces of a template that can be left out, as `--without` takes them: package lists and scripts.
pub(super) fn pieces(template: &Template) -> Choices<String> {
    let lists = template.packages.iter().map(|list| {
        let more = if list.items.len() > NAMED { ", …" } else { "" };
        let named = list.items[..list.items.len().min(NAMED)].join(", ");
        let piece = format!("packages:{}.{}", list.name, list.manager);
        (piece.clone(), piece, format!("{named}{more}"))
    });
    let scripts = template.scripts.iter().map(|script| {
        let piece = format!("script:{}", script.name);
        (piece.clone(), piece, text::bytes(script.size_bytes))
    });
    Choices::of(lists.chain(scripts).collect())
}

#[cfg(test)]
mod tests {
    use super::super::images::tests::survey;
    use super::*;

    #[test]
    fn a_node_that_was_named_leaves_what_it_has() {
        let survey = survey();
        assert_eq!(storages(&survey, None).values.len(), 5, "auto and all of them");
        let own = storages(&survey, Some("pve1"));
        assert_eq!(own.rows, ["auto        the one with most room", "disks-pve1", "local       10Gi free"]);
        assert!(bridges(&survey, Some("pve1")).is_settled());
        assert_eq!(bridges(&survey, None).shown, ["auto", "vmbr0", "vmbr1"]);
    }
}
