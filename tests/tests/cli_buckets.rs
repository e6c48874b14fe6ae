//! Buckets: made, changed, chosen for templates, through the real programs.

use std::fs;

use lxc_tests::harness::{Setup, World};

fn world() -> World {
    Setup::default().unregistered().start()
}

/// A file of the world's own.
fn file(world: &World, name: &str, text: &str) -> String {
    let path = world.path().join(name);
    fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[test]
fn a_bucket_is_made_changed_shown_and_deleted() {
    let mut world = world();
    world.ctl("bucket").exits(0).says("No bucket is known here yet:  lxcctl bucket create NAME");
    world.ctl("bucket add base nginx --manager apt").fails("LXC0310").exits(3);
    let text = file(&world, "base.txt", "apt = [\"nginx\", \"curl\"]\n");
    world.ctl(&format!("bucket create base -f {text}")).exits(0).prints("✓ base  created  2 packages");
    world.ctl(&format!("bucket create base -f {text}")).exits(4).fails("LXC0406");
    world
        .ctl("bucket add base nginx=1.26.0-1 git --manager apt")
        .exits(0)
        .prints("changed  3 packages")
        .prints("packages base.apt changed: -nginx +nginx=1.26.0-1 +git");
    world.ctl("bucket add base git --manager apt").exits(0).prints("· base  unchanged");
    let more = file(&world, "more.txt", "# for all\n@vue/cli\n\npm2@5\n");
    world.ctl(&format!("bucket add base --manager npm -f {more}")).exits(0).prints("5 packages");
    world.ctl("bucket add base -- -y --manager apt").exits(2);
    world
        .ctl("bucket add base 'a b' --manager apt")
        .fails("LXC0216")
        .says("base.apt:4: there are several words: a b");
    let large = file(&world, "large.txt", &"nginx\n".repeat(20_000));
    world
        .ctl(&format!("bucket add base --manager apt -f {large}"))
        .fails("LXC0216")
        .says("at most 65536 bytes");
    world.ctl("bucket add base x --manager brew").exits(2).says("apt apk dnf npm pip custom");
    world.ctl(&format!("bucket create ../x -f {text}")).fails("LXC0216").says("is no name");
    world.ctl("bucket remove base nginx vim --manager apt").exits(0).prints("-nginx=1.26.0-1");

    world.daemon.stop();
    world.daemon.start();
    let shown = world.ctl("bucket show base -o json").exits(0).json();
    assert_eq!(shown["packages"][0]["items"], serde_json::json!(["curl", "git"]), "{shown}");
    assert_eq!((&shown["revision"], &shown["kind"]), (&4.into(), &"Bucket".into()));
    world.ctl("bucket show base").exits(0).prints("npm").prints("@vue/cli");
    world.ctl("bucket ls").exits(0).prints("base").prints("apt npm");
    assert_eq!(world.ctl("bucket ls -o name").out, "base\n");
    assert_eq!(world.ctl("bucket ls -o json").json()["kind"], "BucketList");
    assert_eq!(world.ctl("bucket -o jsonl").out.lines().count(), 1);

    let text = file(&world, "base.txt", "apt = [\"curl\"]\n");
    world.ctl(&format!("bucket edit base -f {text}")).exits(0).prints("packages base.npm removed");
    let wrong = file(&world, "wrong.txt", "apt = [\n  \"curl\",\n  \"-y\",\n]\n");
    world
        .ctl(&format!("bucket edit base -f {wrong}"))
        .fails("LXC0216")
        .says("wrong.txt:3: there is an option in it");
    world.ctl("bucket delete base").fails("LXC0206").says("it would delete base with 1 package");
    let mut asked = world.terminal("bucket delete base");
    asked.wait_for("[y/N]").answer("n");
    asked.end().prints("base was not deleted");
    world.ctl("bucket delete base --dry-run").exits(0).prints("would delete");
    world.ctl("bucket delete base --yes").exits(0).prints("deleted");
    world.ctl("bucket show base").fails("LXC0310");
    for verb in ["create", "add", "remove", "edit", "delete"] {
        world.ctl(&format!("audit ls --verb 'bucket {verb}'")).exits(0).prints("base");
    }
}

#[test]
fn a_bucket_is_copied_into_a_template_that_chooses_it() {
    let world = world();
    let bucket =
        file(&world, "bucket.txt", "apt = [\"nginx\"]\ncustom = ['node|command -v node|curl x \\| sh|5m']\n");
    world.ctl(&format!("bucket create base -f {bucket}")).exits(0);
    let text = "os = \"debian\"\nbuckets = [\"base\"]\n[packages]\nown.apt = [\"git\"]\n";
    let template = file(&world, "web.txt", text);
    world.ctl(&format!("template create web -f {template}")).exits(0).prints("3 packages");
    let lists = |world: &World| {
        let shown = world.ctl("template show web -o json").exits(0).json();
        let lists = shown["packages"].as_array().expect("lists").clone();
        lists
            .iter()
            .map(|list| format!("{}.{} {}", list["name"], list["manager"], list["items"]))
            .collect::<Vec<_>>()
    };
    let before = lists(&world);
    assert_eq!(before.len(), 3, "{before:?}");
    assert_eq!(before[0].replace('"', ""), "base.apt [nginx]");
    // What becomes of the bucket afterwards changes no template.
    world.ctl("bucket add base curl --manager apt").exits(0);
    assert_eq!(lists(&world), before);
    // Chosen again it is copied anew, in the place of the lists of its name.
    world
        .ctl(&format!("template edit web -f {template}"))
        .exits(0)
        .prints("packages base.apt changed: +curl");
    world.ctl("bucket delete base --yes").exits(0);
    let again = world.ctl(&format!("template edit web -f {template}"));
    again.exits(3).fails("LXC0310").says("there is no bucket base");
    assert_eq!(lists(&world).len(), 3);
}
