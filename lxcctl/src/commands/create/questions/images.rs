//! The OS images there are to choose from, those first that a node has, then those that could be downloaded; and the nodes
//! for one of them. Pure, as `choices`.

use std::collections::BTreeMap;

use lxc_core::create::{image_file, resolve_image};
use lxc_core::text;

use super::choices::{Choices, possible, wanted};
use crate::client::view::{Survey, SurveyedNode, Template};

/// Appliances are many, and only meant by who says so.
const APPLIANCE: &str = "turnkey";

/// An OS image, as it is wished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// Its file name; None = what the template says.
    pub(super) name: Option<String>,
    /// No node has it: it is to be downloaded.
    pub(super) download: bool,
}

/// The OS images of the nodes it can be put on; `may` = also such as have to be downloaded.
pub(super) fn images(
    survey: &Survey,
    node: Option<&str>,
    template: Option<&Template>,
    may: bool,
) -> Choices<Image> {
    let there = by_file(survey, node, |node| &node.images);
    let mut more = by_file(survey, node, |node| &node.downloads);
    more.retain(|file, _| may && !there.contains_key(file) && !file.contains(APPLIANCE));
    let row = |file: &str, on: &[&str], download: bool| {
        let note = if download { format!("to be downloaded ({})", on.join(", ")) } else { on.join(", ") };
        (Image { name: Some(file.to_owned()), download }, file.to_owned(), note)
    };
    let of_template = template.map(|template| says(survey, node, template, may));
    let there = there.iter().map(|(file, on)| row(file, on, false));
    let more = more.iter().map(|(file, on)| row(file, on, true));
    Choices::of(of_template.into_iter().chain(there).chain(more).collect())
}

/// What the template says, and what that is here.
fn says(survey: &Survey, node: Option<&str>, template: &Template, may: bool) -> (Image, String, String) {
    let wanted = wanted(template);
    let all = |of: fn(&SurveyedNode) -> &Vec<String>| -> Vec<String> {
        possible(survey, node).flat_map(|node| of(node).clone()).collect()
    };
    let (there, more) = (all(|node| &node.images), all(|node| &node.downloads));
    let (download, note) = match (resolve_image(&wanted, &there), resolve_image(&wanted, &more)) {
        (Some(volume), _) => (false, format!("what the template says: {}", image_file(volume))),
        (None, Some(file)) if may => (true, format!("what the template says: {file}, to be downloaded")),
        (None, _) => (false, "what the template says; no node has one".to_owned()),
    };
    (Image { name: None, download }, wanted, note)
}

/// Each file, and the nodes that say it.
fn by_file<'a>(
    survey: &'a Survey,
    node: Option<&'a str>,
    of: fn(&SurveyedNode) -> &Vec<String>,
) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in possible(survey, node) {
        for image in of(node) {
            let on = files.entry(image_file(image)).or_default();
            if !on.contains(&node.name.as_str()) {
                on.push(&node.name);
            }
        }
    }
    files
}

/// The nodes that have the image, else those that could get it, else all of them; None = whichever has most free memory.
pub(super) fn nodes(survey: &Survey, image: &str) -> Choices<Option<String>> {
    let has: fn(&SurveyedNode, &str) -> bool = |node, image| resolve_image(image, &node.images).is_some();
    let gets: fn(&SurveyedNode, &str) -> bool = |node, image| resolve_image(image, &node.downloads).is_some();
    let some = [has, gets].into_iter().find(|fits| survey.nodes.iter().any(|node| fits(node, image)));
    let fit = survey.nodes.iter().filter(|node| some.is_none_or(|fits| fits(node, image)));
    let note = |node: &SurveyedNode| {
        node.free.map_or_else(String::new, |free| format!("{} of memory free", text::bytes(free)))
    };
    let auto = (None, "auto".to_owned(), "the one with most free memory".to_owned());
    let all = fit.map(|node| (Some(node.name.clone()), node.name.clone(), note(node)));
    Choices::of([auto].into_iter().chain(all).collect())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const FEDORA: &str = "fedora-42-default_20250428_amd64.tar.xz";

    /// Three nodes, with what each has and could get.
    pub(in crate::commands::create::questions) fn survey() -> Survey {
        let (new, old) =
            ("debian-12-standard_12.11-1_amd64.tar.zst", "debian-12-standard_12.2-1_amd64.tar.zst");
        let node = |name: &str, images: &[&str], bridges: &[&str]| SurveyedNode {
            name: name.into(),
            free: Some(4 << 30),
            images: images.iter().map(|file| format!("local:vztmpl/{file}")).collect(),
            storages: vec![("local".into(), Some(10 << 30)), (format!("disks-{name}"), None)],
            bridges: bridges.iter().map(|bridge| (*bridge).to_owned()).collect(),
            downloads: [new, FEDORA, "debian-12-turnkey-core_18.0-1_amd64.tar.gz"]
                .into_iter()
                .filter(|file| !images.contains(file) && name != "pve3")
                .map(str::to_owned)
                .collect(),
        };
        let nodes = vec![
            node("pve1", &[old], &["vmbr0"]),
            node("pve2", &[old, new], &["vmbr0", "vmbr1"]),
            node("pve3", &["alpine-3.22-default_20250617_amd64.tar.xz"], &["vmbr0"]),
        ];
        Survey { remote: "homelab".into(), nodes, names: Vec::new() }
    }

    #[test]
    fn what_is_there_comes_first_and_what_could_be_downloaded_below() {
        let survey = survey();
        let files = |node| images(&survey, node, None, true).shown;
        assert_eq!(files(None).len(), 4);
        assert_eq!(files(Some("auto")).len(), 4);
        let (old, new) =
            ("debian-12-standard_12.2-1_amd64.tar.zst", "debian-12-standard_12.11-1_amd64.tar.zst");
        assert_eq!(files(Some("pve1")), [old, new, FEDORA]);
        assert_eq!(files(Some("pve3")), ["alpine-3.22-default_20250617_amd64.tar.xz"]);
        assert_eq!(images(&survey, None, None, false).shown.len(), 3, "nobody wants one downloaded");
        let all = images(&survey, None, None, true);
        assert!(all.rows[2].ends_with("12.2-1_amd64.tar.zst    pve1, pve2"), "{:?}", all.rows);
        assert!(all.rows[3].ends_with("to be downloaded (pve1, pve2)"), "{:?}", all.rows);
        assert_eq!(
            all.values.iter().map(|image| image.download).collect::<Vec<_>>(),
            [false, false, false, true]
        );
    }

    #[test]
    fn the_nodes_with_the_image_are_offered_then_those_that_could_get_it_then_all() {
        let survey = survey();
        assert_eq!(nodes(&survey, "debian-12").shown, ["auto", "pve1", "pve2"]);
        assert_eq!(nodes(&survey, "alpine-3.22").shown, ["auto", "pve3"]);
        assert_eq!(nodes(&survey, "fedora-42").shown, ["auto", "pve1", "pve2"]);
        assert_eq!(nodes(&survey, "gentoo").shown, ["auto", "pve1", "pve2", "pve3"]);
    }

    #[test]
    fn what_a_terminal_would_obey_is_only_shown() {
        let mut survey = survey();
        survey.nodes[0].images = vec!["local:vztmpl/\u{1b}[2Jdebian.tar.zst".into()];
        let from = images(&survey, Some("pve1"), None, true);
        let shown = from.rows.concat() + &from.shown.concat();
        assert!(!shown.contains('\u{1b}'), "{from:?}");
    }
}
