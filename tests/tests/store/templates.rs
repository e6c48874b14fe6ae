//! Templates: kept and replaced as a whole, by one at a time.

use lxc_core::record::{TemplateOutline, TemplateRecord};
use lxc_core::template::{File, Manager, PackageList, Policy, Script, Settings, Template};

use super::make::{T0, audit};

fn first(name: &str) -> TemplateRecord {
    let script =
        |number: u32| Script { name: format!("{number}-a.sh"), number, text: format!("echo {number}\n") };
    let file = |name: &str| File {
        name: name.to_owned(),
        directory: "/etc".to_owned(),
        policy: Policy::Backup,
        executable: true,
        text: "ä\r\n".to_owned(),
    };
    let list = |name: &str, manager| PackageList {
        name: name.to_owned(),
        manager,
        items: vec!["nginx=1.2".to_owned(), "a|b|c \\| d|60".to_owned()],
    };
    let settings = Settings {
        description: "it's \"web\"".to_owned(),
        tags: vec!["web".to_owned(), "node".to_owned()],
        os: "debian".to_owned(),
        version: String::new(),
        cpu: 2,
        ram_mb: 2048,
        disk_gb: 8,
        unprivileged: true,
        nesting: false,
        keyctl: true,
        fuse: false,
    };
    let template = Template {
        name: name.to_owned(),
        settings,
        scripts: vec![script(9), script(10)],
        files: vec![file("B"), file("a"), file("b")],
        packages: vec![list("base", Manager::Apt), list("base", Manager::Custom), list("web", Manager::Npm)],
    };
    TemplateRecord { template, revision: 1, author: "alice".to_owned(), created: T0, changed: T0 }
}

on_both! {
    async fn a_template_is_read_as_it_was_written(db: Db) {
        let (web, bare) = (first("web"), first("Bare"));
        let bare = TemplateRecord {
            template: Template { scripts: Vec::new(), files: Vec::new(), packages: Vec::new(), ..bare.template },
            ..bare
        };
        for record in [&web, &bare] {
            assert!(db.store.put_template(record, &audit("template import")).await.unwrap());
        }
        // Sizes are in bytes, not in characters.
        let outlines = db.other.template_outlines(None).await.unwrap();
        assert_eq!(outlines, [&bare, &web].map(TemplateOutline::from));
        assert_eq!(outlines[1].files[0].size, 4);
        assert_eq!(db.other.template_outlines(Some("web")).await.unwrap().len(), 1);
        assert_eq!(db.other.templates(None).await.unwrap(), [bare, web.clone()]);
        assert_eq!(db.other.templates(Some("web")).await.unwrap(), [web]);
        assert!(db.other.templates(Some("we")).await.unwrap().is_empty());
        assert_eq!(db.number("SELECT COUNT(*) FROM audit").await, 2);
    }

    async fn a_template_is_replaced_as_a_whole_by_one_at_a_time(db: Db) {
        let one = first("web");
        assert!(db.store.put_template(&one, &audit("template import")).await.unwrap());
        assert!(!db.other.put_template(&one, &audit("template import")).await.unwrap(), "somebody was faster");
        let mut two = TemplateRecord { revision: 2, changed: T0 + 1, ..one.clone() };
        two.template.scripts.remove(0);
        two.template.files.clear();
        two.template.packages.truncate(1);
        assert!(db.other.put_template(&two, &audit("template import")).await.unwrap());
        assert!(!db.store.put_template(&two, &audit("template import")).await.unwrap(), "of the same revision");
        assert_eq!(db.store.templates(None).await.unwrap(), [two]);
        assert_eq!(db.number("SELECT COUNT(*) FROM audit").await, 2, "what did not happen is not recorded");
    }

    async fn what_cannot_be_written_whole_is_not_written(db: Db) {
        let one = first("web");
        assert!(db.store.put_template(&one, &audit("template import")).await.unwrap());
        let mut bad = TemplateRecord { revision: 2, ..one.clone() };
        bad.template.settings.cpu = 7;
        bad.template.scripts[1].number = 9;
        assert!(db.store.put_template(&bad, &audit("template import")).await.is_err(), "two of one number");
        assert_eq!(db.other.templates(None).await.unwrap(), [one]);
    }

    async fn a_removed_template_takes_its_parts_along(db: Db) {
        db.store.put_template(&first("web"), &audit("template import")).await.unwrap();
        assert!(!db.store.remove_template("db", &audit("template delete")).await.unwrap());
        assert!(db.store.remove_template("web", &audit("template delete")).await.unwrap());
        assert!(db.other.templates(None).await.unwrap().is_empty());
        for table in ["template_script", "template_file", "template_packages"] {
            assert_eq!(db.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
        }
        assert_eq!(db.number("SELECT COUNT(*) FROM audit").await, 2);
    }

    async fn wrong_templates_are_refused(db: Db) {
        db.store.put_template(&first("web"), &audit("template import")).await.unwrap();
        for bad in [
            "UPDATE template SET cpu = 0",
            "UPDATE template SET fuse = 2",
            "UPDATE template SET os = ''",
            "UPDATE template SET revision = 0",
            "UPDATE template_file SET policy = 'keep'",
            "UPDATE template_packages SET manager = 'brew'",
            "INSERT INTO template_script VALUES ('nobody', 1, 'a', 'b')",
        ] {
            assert!(!db.accepts(bad).await, "accepted: {bad}");
        }
    }
}
