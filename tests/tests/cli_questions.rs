//! `lxcctl create` on a terminal with too little said: what it asks and what not, what an answer may be, and that
//! nothing happens before the last yes.

use lxc_tests::harness::{Setup, Terminal, World, ct, running};

const DOWN: &str = "\x1b[B";

fn world() -> World {
    Setup::default().nodes(&["pve1", "pve2"]).containers([running(100, "proxy"), ct(104, "web-1")]).start()
}

/// A template with a package list and two scripts.
fn template(world: &World) {
    let root = world.path().join("box");
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    };
    write("template.conf", "TEMPLATE_OS=debian\nTEMPLATE_VERSION=12\nTEMPLATE_RAM=1024\nTEMPLATE_DISK=4\n");
    write("container-configs/packages/base.apt", "curl\ngit\n");
    write("container-configs/scripts/10-first.sh", "#!/bin/sh\ntrue\n");
    write("container-configs/scripts/20-second.sh", "#!/bin/sh\ntrue\n");
    world.ctl(&format!("template import {}", root.display())).exits(0);
}

/// Enter, for each of these questions.
fn enter<'a>(terminal: &'a mut Terminal, questions: &[&str]) -> &'a mut Terminal {
    questions
        .iter()
        .fold(terminal, |terminal, question| terminal.wait_for(&format!("? {question}")).keys("\r"))
}

fn nothing_was_begun(world: &World) {
    assert!(world.calls().is_empty(), "{:?}", world.calls());
    let listed = world.ctl("op ls -o json").exits(0).json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(0), "{listed}");
}

#[test]
fn it_asks_its_way_through_and_says_how_to_type_it() {
    let world = world();
    template(&world);
    let mut terminal = world.terminal("create --stop-after start");
    terminal.wait_for("an OS image and nothing more").keys("1\r");
    terminal.wait_for("? Host name").keys("web-7\r");
    terminal.wait_for("what the template says: debian-12-standard").keys("\r");
    terminal.wait_for("the one with most free memory").keys(DOWN).keys(DOWN).keys("\r");
    terminal.wait_for("? Cores (1)").keys("2\r");
    enter(&mut terminal, &["Memory (1G)"]);
    terminal.wait_for("? Swap (512M)").keys("0\r");
    enter(&mut terminal, &["Disk (4G)", "Storage of the disk", "Bridge"]);
    terminal.wait_for("an address of your own").keys("2\r");
    terminal.wait_for("? Address and bits").keys("10.66.1.7/16\r");
    terminal.wait_for("? Gateway").keys("10.66.0.1\r");
    terminal.wait_for("? Packages and scripts").wait_for("script:20-second.sh");
    terminal.keys(DOWN).keys(DOWN).keys(" ").keys("\r");
    let line = "lxcctl create --stop-after start web-7 --template box --node pve2 --cores 2 --swap 0M \
                --ip 10.66.1.7/16 --gateway 10.66.0.1 --without script:20-second.sh";
    terminal.wait_for("The same without questions:").wait_for(line);
    terminal.wait_for("? Create?");
    let shown = terminal.shown();
    for row in ["memory        1.0Gi", "template\n", "cores         2", "flag\n", "privileges"] {
        assert!(shown.contains(row), "{row:?} in {shown}");
    }
    assert!(!shown.to_lowercase().contains("password"), "{shown}");
    nothing_was_begun(&world);
    terminal.keys("\r");
    terminal.end().exits(0).prints("homelab/101  web-7  created");
    let shown = world.ctl("show homelab/101 -o json").exits(0).json();
    assert_eq!((&shown["config"]["cores"], &shown["config"]["memory"]), (&"2".into(), &"1024".into()));
    assert!(shown["config"]["net0"].as_str().is_some_and(|net| net.contains("gw=10.66.0.1")), "{shown}");
    // What was printed is what was meant.
    world.ctl("delete web-7 --yes").exits(0);
    world.ctl(&line["lxcctl ".len()..]).exits(0).prints("web-7  created");
}

#[test]
fn a_bad_answer_is_told_at_once_and_asked_again() {
    let world = world();
    let mut terminal = world.terminal("create --image debian-12 --node pve1 --disk 60T");
    let again = |count: usize| "\x7f".repeat(count);
    terminal.wait_for("? Host name").keys("a_b\r").wait_for("letters, digits, dashes and dots");
    terminal.keys(&again(3)).keys("web-1\r").wait_for("homelab has a container web-1");
    terminal.keys(&again(1)).keys("7\r");
    terminal.wait_for("? Cores").keys("two\r").wait_for("\"two\" is no number");
    terminal.keys(&again(3)).keys("0\r").wait_for("0 is not from 1 to 8192");
    terminal.keys(&again(1)).keys("1\r");
    terminal.wait_for("? Memory").keys("1M\r").wait_for("1 MiB is not from 16");
    terminal.keys(&again(2)).keys("64M\r");
    enter(&mut terminal, &["Swap", "Storage of the disk", "Bridge"]);
    terminal.wait_for("an address of your own").keys("2\r");
    terminal.wait_for("? Address").keys("10.66.1.7\r").wait_for("lacks the bits of its network");
    terminal.keys("/16\r");
    terminal.wait_for("? Gateway").keys("10.66.1.7\r").wait_for("is the address of the container itself");
    terminal.keys("\x7f1\r");
    // What only the site knows is refused by the review, with a line that has every answer in it.
    let run = terminal.end();
    run.exits(5).says("LXC0520").says("The same without questions:");
    run.says("web-7 --memory 64M --ip 10.66.1.7/16 --gateway 10.66.1.1 --storage");
    assert!(!run.out.contains("Create?"), "{}", run.out);
    nothing_was_begun(&world);
}

#[test]
fn who_leaves_has_made_nothing() {
    let world = world();
    template(&world);
    let questions = [
        ("create", "? Template"),
        ("create --image debian-12", "? Host name"),
        ("create a -q", "? Template"),
    ];
    for (line, question) in questions {
        let mut terminal = world.terminal(line);
        terminal.wait_for(question).keys("\x03");
        terminal.end().exits(130);
    }
    let rest = "--image debian-12 --node pve1 --cores 1 --memory 64M --swap 0 --disk 4 --storage local-lvm --bridge vmbr0 --ip dhcp";
    let mut terminal = world.terminal(&format!("create {rest}"));
    terminal.wait_for("? Host name").keys("web-7\r").wait_for("? Create?").keys("\x03");
    terminal.end().exits(130);
    let mut terminal = world.terminal(&format!("create {rest}"));
    terminal.wait_for("? Host name").keys("web-7\r").wait_for("? Create?").keys("n\r");
    terminal.end().exits(2).says("LXC0209").says(&format!("lxcctl create {rest} web-7"));
    let mut terminal = world.terminal("create");
    terminal.wait_for("? Template").keys("\x04");
    terminal.end().exits(2).says("LXC0209");
    nothing_was_begun(&world);
}

#[test]
fn what_was_said_is_not_asked() {
    let world = world();
    let file = world.path().join("box.toml");
    std::fs::write(&file, "image = \"debian-12\"\nmemory = 64\nip = \"dhcp\"\nnode = \"auto\"\n")
        .expect("written");
    let mut terminal = world.terminal(&format!("create -f {} --cores 2 --swap 0 --dry-run", file.display()));
    terminal.wait_for("? Host name").keys("web-7\r");
    enter(&mut terminal, &["Disk", "Storage", "Bridge"]);
    let run = terminal.end();
    run.exits(0).says("dry run: nothing was called").prints("debian-12-standard");
    for question in
        ["? Template", "? OS image", "? Node", "? Cores", "? Memory", "? Swap", "? IPv4", "? Create?"]
    {
        assert!(!run.out.contains(question), "{question} in {}", run.out);
    }
    // Enough was said: nothing is asked, terminal or not.
    let run = world.terminal("create web-8 --image debian-12 --memory 64M --disk 4G").end();
    run.exits(0).prints("web-8  created");
    assert!(!run.out.contains("? "), "{}", run.out);
}

#[test]
fn what_is_not_there_is_told_before_anything_is_asked() {
    let world = world();
    world.terminal("create --template nosuch").end().exits(3).says("LXC0308");
    world.terminal("create --image debian-12 --remote nosuch").end().exits(3).says("LXC0302");
}

#[test]
fn nobody_is_asked_who_cannot_answer() {
    let world = world();
    world.ctl("create").fails("LXC0201");
    for line in ["create -y", "create -o json"] {
        world.terminal(line).end().exits(2).says("LXC0201").says("create wants a name");
    }
    let dumb = world.cli.clone().env("TERM", "dumb");
    Terminal::open(&dumb, "create").end().exits(2).says("create wants a name");
    nothing_was_begun(&world);
}

#[test]
fn which_remote_is_asked_where_it_is_not_clear() {
    let world = world();
    let other = world.another_sim(|sim| sim);
    world.add("edge", &other).exits(0);
    let mut terminal = world.terminal("create --image debian-12");
    terminal.wait_for("? Remote").keys("edge\r").wait_for("? Host name").keys("\x03");
    let run = terminal.end();
    run.exits(130);
    let named = world.terminal("create --image debian-12 --remote homelab");
    let mut named = named;
    named.wait_for("? Host name").keys("\x03");
    assert!(!named.end().out.contains("? Remote"));
}
