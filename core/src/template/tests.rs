//! Whole directories: what is read, refused with file and line, written back and compared.

use proptest::prelude::*;

use super::*;
use crate::error::Code;

fn source(text: &str) -> Source {
    Source { content: text.as_bytes().to_vec(), executable: false }
}

pub(super) fn whole() -> Sources {
    let files = [
        (
            "template.conf",
            "#!/bin/bash\r\nTEMPLATE_APP=\"${TEMPLATE_APP:-web-node}\"\r\nTEMPLATE_TAGS='web;node;web'\r\n\
             TEMPLATE_OS=Debian # stable\r\nTEMPLATE_VERSION=13\r\nTEMPLATE_RAM=2048\r\nTEMPLATE_NESTING=yes\r\n",
        ),
        ("README.md", "not ours"),
        ("container-configs/scripts/.gitkeep", ""),
        ("container-configs/scripts/9-first.sh", "#!/bin/sh\necho 9\n"),
        ("container-configs/scripts/10-second.sh", "echo 10"),
        ("container-configs/files/nginx.conf", "a\r\nb\n"),
        ("container-configs/files/nginx.conf.path", "/etc//nginx/./\r\n"),
        ("container-configs/files/nginx.conf.policy", " replace \r\n"),
        ("container-configs/files/.bashrc", ""),
        ("container-configs/files/.bashrc.path", "/root"),
        ("container-configs/packages/base.apt", "# base\r\nnginx=1.26\r\n\r\ncurl  # for health\r\n"),
        ("container-configs/packages/base.custom", "node|command -v node|curl x \\| sh|5m\n"),
    ];
    files.into_iter().map(|(path, text)| (path.to_owned(), source(text))).collect()
}

fn with(path: &str, text: &str) -> Sources {
    let mut sources = whole();
    sources.insert(path.to_owned(), source(text));
    sources
}

/// The faults as they are told.
fn told(sources: &Sources) -> Vec<String> {
    read(sources, "called").err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn a_directory_is_read() {
    let template = read(&whole(), "called").unwrap();
    assert_eq!(template.name, "web-node");
    let settings = &template.settings;
    assert_eq!((settings.os.as_str(), settings.version.as_str(), settings.ram_mb), ("debian", "13", 2048));
    assert_eq!(
        (settings.tags.join(" ").as_str(), settings.nesting, settings.unprivileged),
        ("web node", true, true)
    );
    let order: Vec<_> = template.scripts.iter().map(|script| script.number).collect();
    assert_eq!(order, [9, 10], "by number, not by letters");
    let [bashrc, nginx] = &template.files[..] else { panic!("{:?}", template.files) };
    assert_eq!((bashrc.directory.as_str(), bashrc.policy), ("/root", Policy::Default));
    assert_eq!((nginx.directory.as_str(), nginx.policy), ("/etc/nginx", Policy::Replace));
    assert_eq!(nginx.text, "a\r\nb\n", "what is in a file is nobody's business");
    assert_eq!(template.packages[0].items, ["nginx=1.26", "curl"]);
    assert_eq!(template.packages[1].items, ["node|command -v node|curl x \\| sh|300"]);
}

#[test]
fn a_template_without_a_name_is_called_as_its_directory() {
    let sources = Sources::from([(CONF.to_owned(), source("TEMPLATE_OS=alpine\n"))]);
    assert_eq!(read(&sources, "tiny").unwrap().name, "tiny");
    assert!(read(&sources, "..").is_err());
}

#[test]
fn a_line_that_cannot_be_read_is_not_missing_too() {
    for line in
        ["TEMPLATE_OS=$(lsb_release -is)\n", "TEMPLATE_OS=\"debian\n", "TEMPLATE_OS=a b\n", "TEMPLATE_OS=/\n"]
    {
        let sources = Sources::from([(CONF.to_owned(), source(line))]);
        let faults = read(&sources, "web").unwrap_err();
        assert_eq!(faults.len(), 1, "{line}: {faults:?}");
    }
}

#[test]
fn every_mistake_has_its_file_and_line() {
    let scripts = |name: &str| format!("{SCRIPTS}/{name}");
    let (file, apt) = (format!("{FILES}/x"), format!("{PACKAGES}/x.apt"));
    for (path, text, want) in [
        (CONF, "TEMPLATE_OS=debian\nrm -rf /\n", "template.conf:2: this is shell code: rm -rf /"),
        (CONF, "TEMPLATE_OS=debian\nTEMPLATE_CPU=0\n", "template.conf:2: TEMPLATE_CPU is \"0\""),
        (CONF, "TEMPLATE_OS=debian\nTEMPLATE_RAM=8G\n", "template.conf:2: TEMPLATE_RAM is \"8G\""),
        (CONF, "TEMPLATE_OS=debian\nTEMPLATE_CPUS=1\n", "template.conf:2: there is no key TEMPLATE_CPUS"),
        (CONF, "TEMPLATE_OS=a\nTEMPLATE_OS=b\n", "template.conf:2: TEMPLATE_OS is there twice"),
        (
            CONF,
            "TEMPLATE_OS=debian\nTEMPLATE_TAGS='a b'\n",
            "template.conf:2: TEMPLATE_TAGS has \"a b\" in it",
        ),
        (CONF, "", "template.conf: TEMPLATE_OS is missing"),
        (
            &scripts("09-again.sh"),
            "",
            "container-configs/scripts/9-first.sh: number 9 is 09-again.sh's already",
        ),
        (&scripts("setup.sh"), "", "container-configs/scripts/setup.sh: this is no script"),
        (&scripts("11-a.sh"), "a\nb\r\n", "container-configs/scripts/11-a.sh:2: the line ends as on Windows"),
        (
            &scripts("11-a.sh"),
            "#!/bin/sh\n# timeout: 2 hours\n",
            "container-configs/scripts/11-a.sh:2: the script may take \"2 hours\"",
        ),
        (
            &scripts("11-a.sh"),
            "# timeout: 48h",
            "container-configs/scripts/11-a.sh:1: the script may take \"48h\"",
        ),
        (&scripts("11-a.sh"), "#timeout:0", "container-configs/scripts/11-a.sh:1: the script may take \"0\""),
        (
            &scripts("11-a.sh"),
            "# timeout: 500ms",
            "container-configs/scripts/11-a.sh:1: the script may take \"500ms\"",
        ),
        (&scripts("sub/1-a.sh"), "", "container-configs/scripts/sub/1-a.sh: it lies in a folder of its own"),
        (&scripts("../../x"), "", "container-configs/scripts/../../x: the path leads out of the template"),
        (&file, "a", "container-configs/files/x: x.path is missing"),
        (&format!("{file}.path"), "/x", "container-configs/files/x.path: there is no file x beside it"),
        (
            &format!("{FILES}/.bashrc.path"),
            "/a/../../etc",
            "container-configs/files/.bashrc.path:1: \"/a/../../etc\" is no directory a file can go to",
        ),
        (
            &format!("{FILES}/.bashrc.path"),
            "etc",
            "container-configs/files/.bashrc.path:1: \"etc\" is no directory a file can go to",
        ),
        (
            &format!("{FILES}/.bashrc.policy"),
            "\nkeep\n",
            "container-configs/files/.bashrc.policy:2: there is no policy keep",
        ),
        (&apt, "# a\n-y nginx\n", "container-configs/packages/x.apt:2: there is an option in it: -y nginx"),
        (&apt, "a1\nb1\na1=2\n", "container-configs/packages/x.apt:3: a1 is there twice"),
        (&apt, "nginx-\n", "container-configs/packages/x.apt:1: this is no apt package: nginx-"),
        (CONF, "TEMPLATE_OS=a\nTEMPLATE_DISK=65537", "template.conf:2: TEMPLATE_DISK is \"65537\""),
        (&format!("{PACKAGES}/x.brew"), "", "container-configs/packages/x.brew: this is no package list"),
        (
            &format!("{PACKAGES}/x.custom"),
            "a|b\n",
            "container-configs/packages/x.custom:1: there are 2 fields, not 4: a|b",
        ),
    ] {
        assert_eq!(told(&with(path, text)), [want]);
    }
    let faults = read(&with(CONF, "id\nid\n"), "").unwrap_err();
    assert_eq!(faults.len(), 3, "all of them at once");
    let error = refused(&faults, "tree/web node/");
    assert_eq!((error.code, error.why.len()), (Code::BadTemplate, 3));
    assert_eq!(error.message, "tree/web node/template.conf:1: this is shell code: id");
    let faults = read(&with(&scripts("11-a.sh"), "a\r\n"), "").unwrap_err();
    let mend = &refused(&faults, "web node").tries[0].command;
    assert_eq!(mend, "sed -i 's/\\r$//' 'web node/container-configs/scripts/11-a.sh'");
}

#[test]
fn a_package_has_one_version_in_all_lists() {
    let lists = |first: &str, second: &str, kind: &str| {
        let mut sources = with(&format!("{PACKAGES}/a.{kind}"), first);
        sources.insert(format!("{PACKAGES}/b.{kind}"), source(second));
        read(&sources, "x").map(|_| ()).map_err(|faults| {
            faults.iter().map(|fault| format!("{fault}; {}", fault.why)).collect::<Vec<_>>()
        })
    };
    for (kind, first, second) in [
        ("apt", "curl\nredis=1.2\n", "redis=1.3"),
        ("npm", "\nredis@5.4", "redis@5.5"),
        ("pip", "# a\nredis==1", "redis==2"),
        ("custom", "a||b|\nredis||true|", "redis||false|"),
    ] {
        let told = lists(first, second, kind).unwrap_err();
        let wanted = format!(
            "container-configs/packages/b.{kind}:1: redis is wanted otherwise; container-configs/packages/a.{kind}:2 wants "
        );
        assert!(told.len() == 1 && told[0].starts_with(&wanted), "{told:?}");
        assert_eq!(lists(first, first, kind), Ok(()), "the same twice");
    }
    assert_eq!(lists("redis", "redis=1.2", "apt"), Ok(()), "any version, and one");
    assert_eq!(lists("libc6:arm64=1", "libc6=2", "apt"), Ok(()));
}

#[test]
fn an_error_fits_into_the_headers_of_an_answer() {
    let long = "ä".repeat(120);
    let mut sources = whole();
    sources.extend((0..500).map(|number| (format!("{SCRIPTS}/{number}{long}"), source(""))));
    let faults = read(&sources, "").unwrap_err();
    let error = refused(&faults, &"d/".repeat(2_000));
    let bytes = error.message.len()
        + error
            .why
            .iter()
            .chain(error.tries.iter().map(|hint| &hint.command))
            .map(String::len)
            .sum::<usize>();
    assert!(bytes < 6_000 && error.message.starts_with('…'), "{bytes}: {}", error.message);
    assert!(error.why.last().is_some_and(|more| more.starts_with("and ")), "{error}");
}

#[test]
fn binary_and_large_files_are_refused_with_their_limit() {
    let put = |path: String, content: Vec<u8>| {
        let mut sources = whole();
        sources.insert(path, Source { content, executable: false });
        read(&sources, "").unwrap_err().remove(0)
    };
    let fault = put(format!("{SCRIPTS}/11-a.sh"), b"\x7fELF\0\xff".to_vec());
    assert!(fault.what == "it is binary" && fault.why.contains("1048576 bytes"), "{fault:?}");
    let fault = put(format!("{SCRIPTS}/11-a.sh"), b"a\nb\xe9\n".to_vec());
    assert_eq!((fault.what.as_str(), fault.line), ("it is binary", Some(2)));
    let fault = put(format!("{SCRIPTS}/11-a.sh"), vec![b'a'; (LARGEST_FILE + 1) as usize]);
    assert!(fault.what == "it has 1048577 bytes" && fault.why.contains("1048576"), "{fault:?}");
    let fault = put(format!("{PACKAGES}/x.apt"), vec![b'a'; (LARGEST_LIST + 1) as usize]);
    assert!(fault.why.contains("64 KiB"), "{fault:?}");
    let fault = put("x".to_owned(), vec![b'a'; (LARGEST_TEMPLATE + 1) as usize]);
    assert!(fault.why.contains("8 MiB"), "{fault:?}");
}

#[test]
fn what_was_written_is_read_and_written_again() {
    let template = read(&whole(), "").unwrap();
    let written = write(&template);
    assert_eq!(read(&written, "elsewhere").as_ref(), Ok(&template));
    assert_eq!(write(&read(&written, "").unwrap()), written);
    assert!(difference(&template, &read(&written, "").unwrap()).is_empty());
}

#[test]
fn what_changes_is_named() {
    let before = read(&whole(), "").unwrap();
    let mut after = before.clone();
    after.settings.cpu = 4;
    after.scripts[0].text.push_str("id\n");
    after.scripts.remove(1);
    after.files[1].policy = Policy::Backup;
    after.packages[0].items = vec!["nginx=1.27".into(), "curl".into()];
    after.packages.push(PackageList { name: "js".into(), manager: Manager::Npm, items: Vec::new() });
    let said: Vec<_> = difference(&before, &after)
        .iter()
        .map(|change| {
            format!("{} {} {} {}", change.part, change.name, change.how, change.detail).trim().to_owned()
        })
        .collect();
    assert_eq!(
        said,
        [
            "setting cpu changed 1 to 4",
            "script 9-first.sh changed",
            "script 10-second.sh removed",
            "file nginx.conf changed replace to backup",
            "packages base.apt changed -nginx=1.26 +nginx=1.27",
            "packages js.npm added",
        ]
    );
}

#[test]
fn a_list_is_filtered_by_name_tag_and_os() {
    let template = read(&whole(), "").unwrap();
    let matches = |label: &str| {
        Filter::parse(&[label.to_owned()]).map(|filter| filter.matches(&template.name, &template.settings))
    };
    for (label, want) in [
        ("tag=web", true),
        ("tag=db|node,os=debian", true),
        ("os!=debian", false),
        ("name=web-*", true),
        ("name=web", false),
    ] {
        assert_eq!(matches(label), Ok(want), "{label}");
    }
    for (label, code) in [
        ("", Code::EmptySelection),
        ("tag=", Code::EmptySelection),
        ("node=a", Code::SelectorKey),
        ("web", Code::SelectorSyntax),
    ] {
        assert_eq!(matches(label).unwrap_err().code, code, "{label}");
    }
}

proptest! {
    /// Whatever stands in a file: it is read or refused with its file, and what is read is written to the same bytes.
    #[test]
    fn any_file_is_read_or_refused(
        path in prop_oneof![
            Just(CONF.to_owned()),
            Just(format!("{SCRIPTS}/20-a.sh")),
            Just(format!("{FILES}/.bashrc.path")),
            Just(format!("{FILES}/.bashrc.policy")),
            Just(format!("{PACKAGES}/x.apt")),
            Just(format!("{PACKAGES}/x.pip")),
            Just(format!("{PACKAGES}/x.custom")),
            "container-configs/(scripts|files|packages)/[-a-z0-9./]{0,12}",
        ],
        text in "((TEMPLATE_OS=|TEMPLATE_TAGS=\"|/|[a-z0-9=|\\\\ \"'$#.-]|\r?\n){0,12}|\\PC{0,30})",
    ) {
        match read(&with(&path, &text), "called") {
            Ok(template) => {
                let written = write(&template);
                let again = read(&written, "");
                prop_assert_eq!(again.as_ref(), Ok(&template));
                prop_assert_eq!(write(&again.unwrap()), written);
            }
            Err(faults) => prop_assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.file.is_empty())),
        }
    }
}
