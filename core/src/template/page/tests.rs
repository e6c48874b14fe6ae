//! Templates as texts: written and read back as the same, and wrong ones with the line.

use proptest::prelude::*;

use super::*;
use crate::template::Template;
use crate::template::tests::whole;

fn again(template: &Template) -> Template {
    let page = write_page(template);
    let read_back =
        read_page(&page, &template.name, "web.toml").unwrap_or_else(|faults| panic!("{faults:?}\n{page}"));
    read(&read_back.sources, "called").unwrap()
}

/// The faults as they are told.
fn told(text: &str) -> Vec<String> {
    read_page(text, "web", "web.toml").err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn a_template_is_read_as_it_was_written() {
    let template = read(&whole(), "called").unwrap();
    assert_eq!(again(&template), template);
    let page = write_page(&template);
    assert!(page.contains("name = \"9-first.sh\"\ntext = '''\n#!/bin/sh\necho 9\n'''\n"), "{page}");
    assert!(page.contains("base.apt = [\n    \"nginx=1.26\",\n    \"curl\",\n]\n"), "{page}");
    assert!(page.contains("a\\u000D\nb\n"), "{page}");
}

#[test]
fn a_new_one_can_be_saved_with_and_without_its_examples() {
    let blank = blank_page("web");
    assert_eq!(read_page(&blank, "web", "web.toml").unwrap().sources.len(), 1);
    // What is a sentence stays a comment.
    let examples: String = blank
        .split_once("buckets = []\n")
        .unwrap()
        .1
        .lines()
        .filter(|line| !line.starts_with("# What"))
        .map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line)))
        .collect();
    let page = read_page(&format!("os = \"debian\"\n{examples}"), "web", "web.toml").unwrap();
    let template = read(&page.sources, "web").unwrap();
    assert_eq!((template.scripts.len(), template.files.len(), template.packages.len()), (1, 1, 1));
}

#[test]
fn faults_are_where_they_stand() {
    let text = "os = \"debian\"\ncpu = 0\ntags = [\"Web\"]\nbuckets = [\"base\"]\n\n[packages]\nbase.apt = [\n  \"nginx\",\n  \"-y\",\n]\n\n\
                [[script]]\nname = \"10-a.sh\"\ntext = '''\nid\n'''\n\n[[script]]\nname = \"010-b.sh\"\ntext = \"id\"\n\n\
                [[file]]\nname = \"x\"\ndirectory = \"etc\"\npolicy = \"keep\"\ntext = \"\"\n";
    let told = told(text);
    for fault in [
        "web.toml:2: cpu is \"0\"",
        "web.toml:3: tags has \"Web\" in it",
        "web.toml:9: there is an option in it: -y",
        "web.toml:13: number 10 is 010-b.sh's already",
        "web.toml:24: \"etc\" is no directory a file can go to",
        "web.toml:25: there is no policy keep",
    ] {
        assert!(told.iter().any(|one| one == fault), "{fault}: {told:#?}");
    }
    assert_eq!(told.len(), 6, "{told:#?}");
}

#[test]
fn what_is_no_such_text_is_refused_by_line() {
    for (text, fault) in [
        ("os = \"debian\"\ncpus = 2\n", "web.toml:2: unknown field `cpus`"),
        ("os = debian\n", "web.toml:1: "),
        ("cpu = 1\n", "web.toml: os is missing"),
        ("os = \"debian\"\n[packages]\nbase.apt = [\"# no\"]\n", "web.toml:3: this is no package"),
        ("os = \"debian\"\ndescription = \"a\\nb\"\n", "web.toml:2: description has several lines"),
        (
            "os = \"debian\"\n[[script]]\nname = \"../10-a.sh\"\ntext = \"\"\n",
            "web.toml:3: \"../10-a.sh\" is no name",
        ),
        (
            "os = \"debian\"\n[[script]]\nname = \"10-a.sh\"\ntext = '''\nid\n'''\n[[script]]\nname = \"10-a.sh\"\ntext = '''\nid\n'''\n",
            "web.toml:8: 10-a.sh is there twice",
        ),
        (
            "os = \"debian\"\n[[script]]\nname = \"10-a.sh\"\ntext = \"\"\"\nid\nid\\r\n\"\"\"\n",
            "web.toml:6: the line ends as on Windows",
        ),
    ] {
        let told = told(text);
        assert!(told.iter().any(|one| one.starts_with(fault)), "{fault}: {told:#?}");
    }
}

#[test]
fn a_bucket_is_read_as_it_was_written() {
    let text = "apt = [\"nginx\", \"curl=8\"]\nnpm = [\"@vue/cli\"]\n";
    let lists = read_lists(text, "base", "base.toml").unwrap();
    assert_eq!(lists.iter().map(|list| list.items.len()).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(read_lists(&write_lists(&lists), "base", "base.toml").unwrap(), lists);
    let told = |text: &str| read_lists(text, "base", "base.toml").unwrap_err()[0].to_string();
    assert_eq!(told("apt = [\"a\",\n\"b c\"]\n"), "base.toml:2: there are several words: b c");
    assert!(told("brew = [\"a\"]\n").starts_with("base.toml:1: this is no package list"));
}

proptest! {
    #[test]
    fn any_text_is_read_as_it_was_written(script in "(\\PC|[\\n\\t'\"\\\\$]){0,40}", file in "(\\PC|[\\r\\n\\t'\"\\\\\\x01\\x7f]){0,40}") {
        let mut template = read(&whole(), "called").unwrap();
        script.trim_start_matches('\u{feff}').clone_into(&mut template.scripts[0].text);
        file.clone_into(&mut template.files[0].text);
        prop_assert_eq!(again(&template), template);
    }
}
