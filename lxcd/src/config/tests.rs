//! The configuration as people write it, right and wrong.

use std::path::Path;

use lxc_core::error::Code;
use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;

fn environment() -> Environment {
    Environment { uid: 1000, home: Some("/home/ops".into()), system: "/etc".into(), ..Environment::default() }
}

/// Every problem, as one text.
fn problems(text: &str) -> Vec<String> {
    let error = Config::parse("c.toml", text, &environment()).unwrap_err();
    assert_eq!(error.code, Code::BadConfig);
    std::iter::once(error.message).chain(error.why).collect()
}

#[test]
fn nothing_is_needed() {
    let config = Config::parse("c.toml", "", &environment()).unwrap();
    assert_eq!(config.state_dir, Path::new("/home/ops/.local/state/lxcd"));
    assert_eq!(config.retention.audit.as_secs(), 400 * 86_400);
    assert_eq!((config.log.level, config.log.format), (LogLevel::Info, LogFormat::Text));
    assert!(config.database.is_none());
    assert_eq!(config.roles, Roles::default());
}

#[test]
fn everything_can_be_said() {
    let text = r#"
        state_dir = "/srv/lxcd"
        socket = "/run/lxcd/lxcd.sock"
        socket_group = "lxc"
        database = "postgres://lxcd:hunter2@db/lxcd"
        redis = "redis://cache"
        identity_domain = "example.org"
        services = false
        [log]
        level = "debug"
        format = "json"
        [roles]
        admin = ["ops", "@wheel"]
        viewer = []
        [remotes.homelab.roles]
        operator = ["bob"]
        [retention]
        audit_days = 1_000
        [poll]
        active_seconds = 0x0f
    "#;
    let config = Config::parse("c.toml", text, &environment()).unwrap();
    assert_eq!(config.state_dir, Path::new("/srv/lxcd"));
    assert_eq!(config.database.as_ref().unwrap().expose_secret(), "postgres://lxcd:hunter2@db/lxcd");
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!(config.roles.admin, Some(vec![Who::User("ops".into()), Who::Group("wheel".into())]));
    assert_eq!((config.roles.operator.clone(), config.roles.viewer.clone()), (None, Some(Vec::new())));
    assert_eq!(config.remote_roles["homelab"].operator, Some(vec![Who::User("bob".into())]));
    assert!(!config.services);
    assert_eq!(config.poll.active.as_secs(), 15);
    assert_eq!(config.retention.audit.as_secs(), 1000 * 86_400);
}

#[test]
fn names_line_column_key_and_the_nearest_one() {
    assert_eq!(
        problems("state_dir = \"/srv\"\nsocket_grp = \"lxc\"\n"),
        ["c.toml:2:1: there is no key socket_grp; did you mean socket_group?"]
    );
    assert_eq!(
        problems("[log]\nlevle = \"info\""),
        ["c.toml:2:1: there is no key log.levle; did you mean log.level?"]
    );
    assert_eq!(
        problems("audit_days = 3"),
        ["c.toml:1:1: there is no key audit_days; did you mean retention.audit_days?"]
    );
    assert_eq!(problems("zzz = 3"), ["c.toml:1:1: there is no key zzz"]);
    assert_eq!(
        problems("[remotes.lab]\nrole = 1"),
        ["c.toml:2:1: there is no key remotes.lab.role; did you mean remotes.lab.roles?"]
    );
}

#[test]
fn says_what_a_value_must_be() {
    let cases = [
        ("state_dir = 7", "1:13: state_dir must be a string in quotes, not an integer"),
        ("state_dir = \"lxcd\"", "state_dir must be an absolute path"),
        ("services = \"no\"", "services must be true or false, not a string"),
        ("log = \"info\"", "log must be a table, not a string"),
        ("[log]\nlevel = \"loud\"", "2:9: log.level must be one of error, warn, info, debug, trace"),
        ("[retention]\naudit_days = 0", "retention.audit_days must be from 1 to 36500"),
        ("[retention]\naudit_days = 99999999999999999999", "retention.audit_days must be from 1 to 36500"),
        ("[poll]\nidle_seconds = -1", "poll.idle_seconds must be from 10 to 3600"),
        ("[poll]\nidle_seconds = 1.5", "poll.idle_seconds must be a whole number, not a float"),
        ("[roles]\nadmin = \"ops\"", "roles.admin must be a list of strings, not a string"),
        ("[roles]\nadmin = [\"ops\", 7]", "2:17: roles.admin must be a list of strings, not an integer"),
        ("[roles]\nadmin = [\"@\"]", "a user is written ops, a group @wheel"),
        (
            "database = \"mysql://u:hunter2@h/d\"",
            "database must be a URL that begins with postgres:// or postgresql://",
        ),
        ("remotes.a = 1", "remotes.a must be a table"),
        ("state_dir = \"/a", "1:"),
    ];
    for (text, says) in cases {
        let all = problems(text);
        assert!(all[0].contains(says), "{text}: {all:?}");
        assert!(!all.concat().contains("hunter2"));
    }
    let long = format!("socket = \"/{}\"", "x".repeat(107));
    assert!(problems(&long)[0].contains("108 bytes"), "{:?}", problems(&long));
}

#[test]
fn reports_several_problems_at_once() {
    let all = problems("sockett = 1\n[log]\nlevel = 3\n[poll]\nidle_seconds = 1\n");
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all[0].starts_with("c.toml:1:1:") && all[2].starts_with("c.toml:5:16:"), "{all:?}");
}

#[test]
fn the_environment_wins_and_a_named_file_must_exist() {
    let dir = tempfile::tempdir().unwrap();
    let mut environment = environment();
    environment.config_home = Some(dir.path().to_owned());
    environment.system = dir.path().join("etc");
    assert_eq!(Config::load(None, &environment).unwrap().file, None);
    let missing = Config::load(Some(&dir.path().join("no.toml")), &environment).unwrap_err();
    assert!(missing.code == Code::BadConfig && missing.message.contains("no.toml"));

    let path = dir.path().join("lxcd/config.toml");
    std::fs::create_dir(dir.path().join("lxcd")).unwrap();
    std::fs::write(&path, "state_dir = \"/srv/a\"\nsocket = \"/srv/s\"").unwrap();
    environment.state_dir = Some("/srv/b".into());
    let config = Config::load(None, &environment).unwrap();
    assert_eq!(
        (config.file.as_deref(), config.state_dir.as_path()),
        (Some(path.as_path()), Path::new("/srv/b"))
    );
    assert_eq!(config.socket, Path::new("/srv/s"));
    std::fs::write(&path, b"\xff").unwrap();
    assert!(Config::load(None, &environment).unwrap_err().message.contains("UTF-8"));
}

proptest! {
    #[test]
    fn never_panics(text in "[a-z_\\[\\]=\"'. \n0-9ä#]{0,120}") {
        let _ = Config::parse("c.toml", &text, &environment());
    }
}
