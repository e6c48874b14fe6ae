//! `template`: its table, the rows of an import, what reaches the daemon and what may be written here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use lxc_proto::v1 as pb;
use support::build::{error, now, secs};
use support::pty::Terminal;
use support::{Fake, Script};

fn template(name: &str) -> pb::Template {
    let list = |name: &str, items: &[&str]| pb::TemplatePackages {
        name: name.into(),
        manager: "apt".into(),
        items: items.iter().map(ToString::to_string).collect(),
    };
    pb::Template {
        name: name.into(),
        description: "nginx in front".into(),
        tags: vec!["web".into(), "node".into()],
        os: "debian".into(),
        version: "13".into(),
        cpu: 2,
        memory_bytes: 2 << 30,
        disk_bytes: 8 << 30,
        unprivileged: true,
        nesting: true,
        scripts: vec![pb::TemplateScript { number: 20, name: "20-nodejs.sh".into(), bytes: 812 }],
        packages: vec![list("base", &["nginx", "curl"]), list("more", &["redis"])],
        revision: 3,
        author: "ann".into(),
        changed_us: now() - secs(7200.0),
        created_us: now() - secs(86_400.0),
        ..Default::default()
    }
}

fn imported(name: &str, result: &str, changes: &[(&str, &str, &str, &str)]) -> pb::ImportTemplateReply {
    let change = |(part, name, change, detail): &(&str, &str, &str, &str)| pb::TemplateChange {
        part: (*part).into(),
        name: (*name).into(),
        change: (*change).into(),
        detail: (*detail).into(),
    };
    pb::ImportTemplateReply {
        template: Some(template(name)),
        result: result.into(),
        changes: changes.iter().map(change).collect(),
    }
}

#[test]
fn the_list_and_its_json() {
    let items = vec![template("web-node"), template("web-dev")];
    let reply = pb::ListTemplatesReply { items, known: 2 };
    let fake = Fake::start(Script { templates: Some(Ok(reply)), ..Script::default() });
    let run = fake.run("lxcctl template");
    assert_eq!(
        run.out,
        "NAME      OS         CPU  MEMORY   DISK  SCRIPTS  FILES  PACKAGES  CHANGED  TAGS\n\
         web-dev   debian 13    2   2.0Gi  8.0Gi        1      0         3  2h ago   web;node\n\
         web-node  debian 13    2   2.0Gi  8.0Gi        1      0         3  2h ago   web;node\n"
    );
    assert_eq!(fake.run("lxcctl template ls -o name --sort=-name").out, "web-node\nweb-dev\n");
    let json: serde_json::Value = serde_json::from_str(&fake.run("lxcctl template ls -o json").out).unwrap();
    assert_eq!(json["kind"], "TemplateList");
    assert_eq!(
        (&json["items"][0]["disk_bytes"], &json["items"][0]["fuse"]),
        (&(8_u64 << 30).into(), &false.into())
    );
}

#[test]
fn an_import_says_per_template_what_changed() {
    let changes = [
        ("setting", "cpu", "changed", "1 to 2"),
        ("script", "20-nodejs.sh", "added", ""),
        ("packages", "base.apt", "changed", "-redis +valkey"),
    ];
    let bad = error(
        "LXC0216",
        "tree/c/template.conf:2: this is shell code: id",
        &["it is read and never run"],
        &[],
    );
    let imports = [
        Ok(imported("a", "created", &[])),
        Ok(imported("b", "changed", &changes)),
        Err(bad),
        Ok(imported("d", "unchanged", &[])),
    ];
    let fake = Fake::start(Script { imports: imports.into(), ..Script::default() });
    let tree = fake.dir().join("tree");
    for name in ["a", "b", "c", "d"] {
        let folder = tree.join(name).join("container-configs/scripts");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("10-a.sh"), "id\n").unwrap();
        std::fs::write(folder.join(".gitkeep"), "").unwrap();
        std::fs::write(tree.join(name).join("template.conf"), "TEMPLATE_OS=debian\n").unwrap();
        std::fs::write(tree.join(name).join("README.md"), "not sent").unwrap();
    }
    let run = fake.run(&format!("lxcctl template import {}", tree.display()));
    let shown = run.out.replace(&tree.display().to_string(), "tree");
    let rows: Vec<String> =
        shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        rows,
        [
            "✓ a created 1 script, 0 files, 3 packages",
            "✓ b changed 3 changes",
            "cpu 1 to 2",
            "script 20-nodejs.sh added",
            "packages base.apt changed: -redis +valkey",
            "✗ tree/c refused LXC0216",
            "· d unchanged 1 script, 0 files, 3 packages",
        ]
    );
    assert_eq!(run.code, 9);
    assert!(
        run.err.contains("error[LXC0216]: tree/c/template.conf:2: this is shell code: id"),
        "{}",
        run.err
    );
    assert!(run.err.ends_with("4 templates: 1 created, 1 changed, 1 refused, 1 unchanged\n"), "{}", run.err);
    let asked = fake.asked.lock().unwrap();
    let sent: Vec<&str> = asked.imports[0].files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(sent, ["container-configs/scripts/10-a.sh", "template.conf"], "and nothing else");
    assert_eq!((asked.imports[1].called.as_str(), asked.imports[1].dry_run), ("b", false));
}

#[test]
fn an_export_writes_nowhere_else() {
    let fake = Fake::start(Script::default());
    let directory = fake.dir().join("out");
    let run = fake.run(&format!("lxcctl template export web {}", directory.display()));
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("a path that leads elsewhere"), "{}", run.err);
    assert!(!fake.dir().join("outside").exists());
}

#[test]
fn a_delete_asks_first() {
    let fake = Fake::start(Script::default());
    let mut terminal = Terminal::run(&fake.socket(), "lxcctl template delete web");
    terminal
        .wait_for("Deletes web with 0 scripts, 0 files, 0 packages; containers made from it stay. [y/N] ");
    terminal.type_in("n\n");
    let (shown, code) = terminal.end();
    assert_eq!(code, 2, "{shown}");
    assert!(shown.contains("web was not deleted"), "{shown}");
}
