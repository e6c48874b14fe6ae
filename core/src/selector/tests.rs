//! The grammar by example, and what must hold for any input.

use proptest::prelude::*;

use super::*;
use crate::error::Code;

fn labels(expressions: &[&str]) -> Selection {
    Selection { labels: expressions.iter().map(ToString::to_string).collect(), ..Selection::default() }
}

fn targets(words: &[&str]) -> Selection {
    Selection { targets: words.iter().map(ToString::to_string).collect(), ..Selection::default() }
}

fn picks(selection: &Selection, facts: &Facts<'_>) -> bool {
    Query::parse(selection).unwrap().matches(facts)
}

fn web_1(tags: &[String]) -> Facts<'_> {
    Facts {
        remote: "homelab",
        node: Some("pve1"),
        vmid: 104,
        name: Some("web-1"),
        tags,
        status: "running",
        lifecycle: "ready",
        power: Some("running"),
        template: None,
        pool: Some("prod"),
    }
}

#[test]
fn words_name_containers() {
    let tags = vec!["web".to_owned()];
    let facts = web_1(&tags);
    for word in ["104", "web-1", "homelab/104", "homelab/web-1", "web-*", "*", "home*/web-?", "homelab/*"] {
        assert!(picks(&targets(&[word]), &facts), "{word}");
    }
    for word in ["105", "web", "edge/104", "web-1?", "*-2", "edge/*"] {
        assert!(!picks(&targets(&[word]), &facts), "{word}");
    }
    assert!(picks(&targets(&["105", "web-1"]), &facts), "several words mean OR");
}

#[test]
fn labels_narrow() {
    let tags = vec!["web".to_owned(), "ci".to_owned()];
    let facts = web_1(&tags);
    for expression in [
        "tag=web",
        "tag=web,status=running|stopped",
        "tag=web,tag=ci",
        "vmid!=101",
        "vmid=104",
        "template!=*",
        "template!=web-node",
        "pool=pr*",
        "node=pve1,name=web-*",
        "tag=db|ci",
    ] {
        assert!(picks(&labels(&[expression]), &facts), "{expression}");
    }
    for expression in
        ["tag=db", "tag!=web", "status=stopped", "template=*", "vmid!=101|104", "tag=web,tag=db"]
    {
        assert!(!picks(&labels(&[expression]), &facts), "{expression}");
    }
    assert!(!picks(&labels(&["tag=web", "status=stopped"]), &facts), "several -l mean AND");
    let elsewhere = Selection { remote: Some("edge".to_owned()), ..targets(&["104"]) };
    assert!(!picks(&elsewhere, &facts), "--remote narrows");
}

#[test]
fn an_unknown_key_gets_a_caret_and_the_corrected_command() {
    let error = Query::parse(&labels(&["tag=web,stauts=running"])).unwrap_err().for_verb("ls");
    assert_eq!(error.code, Code::SelectorKey);
    assert_eq!(error.message, "a selector has no key stauts");
    assert_eq!(error.why, ["tag=web,stauts=running", "        ^^^^^^ status?"]);
    assert_eq!(error.tries[0].command, "lxcctl ls -l 'tag=web,status=running'");
}

#[test]
fn empty_is_never_everything() {
    for selection in [labels(&[""]), labels(&["tag="]), labels(&["tag=a|"]), targets(&[""])] {
        assert_eq!(Query::parse(&selection).unwrap_err().code, Code::EmptySelection, "{selection:?}");
    }
    assert!(Selection::default().is_empty());
    assert!(!labels(&["tag="]).is_empty());
}

#[test]
fn what_cannot_be_read_says_where() {
    let cases: [(&str, &str); 8] = [
        ("tag=web,", "       ^ nothing stands behind it"),
        (",tag=web", "^ nothing stands behind it"),
        ("web", "^^^ name=web?"),
        ("status=runing", "       ^^^^^^ running?"),
        ("vmid=abc", "     ^^^ a number"),
        ("=web", "^ key=value"),
        ("tag=a b", "     ^ does not belong here"),
        ("tag==web", "    ^ does not belong here"),
    ];
    for (text, caret) in cases {
        let error = Query::parse(&labels(&[text])).unwrap_err();
        assert_eq!(error.caret(), [text, caret]);
    }
    for word in ["a/b/c", "/104", "homelab/", "99999999999", "tag=web", "a b"] {
        assert_eq!(Query::parse(&targets(&[word])).unwrap_err().code, Code::SelectorSyntax, "{word}");
    }
}

#[test]
fn patterns_and_all_are_told_apart_from_names() {
    let query = |selection: &Selection| Query::parse(selection).unwrap();
    assert!(!query(&targets(&["104", "homelab/web-1"])).by_pattern());
    assert!(query(&targets(&["web-*"])).by_pattern());
    assert!(query(&labels(&["tag=ci"])).by_pattern());
    assert!(query(&targets(&["*"])).counts_as_all());
    assert!(!query(&targets(&["homelab/*"])).counts_as_all());
    let all = Selection { all: true, ..Selection::default() };
    assert!(query(&all).counts_as_all() && query(&all).by_pattern());
    assert!(!query(&Selection { remote: Some("edge".into()), ..all }).counts_as_all());
}

#[test]
fn a_selection_describes_itself() {
    assert_eq!(labels(&["tag=web,status=error"]).describe(), "tag=web,status=error");
    assert_eq!(targets(&["104", "web-*"]).describe(), "104 web-*");
    assert_eq!(Selection { remote: Some("edge".into()), ..Selection::default() }.describe(), "remote=edge");
}

/// What a glob means, said in the slowest and plainest way.
fn plain_glob(pattern: &[char], text: &[char]) -> bool {
    match (pattern.first(), text.first()) {
        (None, None) => true,
        (Some('*'), _) => {
            plain_glob(&pattern[1..], text) || (!text.is_empty() && plain_glob(pattern, &text[1..]))
        }
        (Some('?'), Some(_)) => plain_glob(&pattern[1..], &text[1..]),
        (Some(a), Some(b)) if a == b => plain_glob(&pattern[1..], &text[1..]),
        _ => false,
    }
}

proptest! {
    #[test]
    fn nothing_typed_makes_it_panic(text in ".{0,40}") {
        for selection in [labels(&[&text]), targets(&[&text])] {
            if let Err(error) = Query::parse(&selection) {
                prop_assert!(error.text.is_empty() || error.span.end <= error.text.len());
                prop_assert!(!error.caret().is_empty());
                let _ = error.for_verb("ls");
            }
        }
    }

    #[test]
    fn a_suggestion_that_is_taken_brings_the_reader_further(key in "[a-z]{3,9}") {
        let text = format!("{key}=running");
        if let Err(error) = Query::parse(&labels(&[&text]))
            && let Some(corrected) = error.corrected()
            && let Err(next) = Query::parse(&labels(&[&corrected]))
        {
            prop_assert!(next.span.start > error.span.start, "{} {}", text, corrected);
        }
    }

    #[test]
    fn globs_mean_what_they_say(pattern in "[ab*?]{0,7}", text in "[abé]{0,8}") {
        let (p, t): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
        prop_assert_eq!(Pattern::new(pattern).matches(&text), plain_glob(&p, &t));
    }

    #[test]
    fn not_equal_is_the_opposite_of_equal(value in "[a-z]{1,4}", tag in "[a-z]{1,4}") {
        let tags = [tag];
        let facts = web_1(&tags);
        let yes = picks(&labels(&[&format!("tag={value}")]), &facts);
        let no = picks(&labels(&[&format!("tag!={value}")]), &facts);
        prop_assert!(yes != no);
    }
}
