//! From a template or a bucket to the text it is edited as. Owns how strings are written so that people can read them.

use std::fmt::Write as _;

use crate::template::{PackageList, Policy, Settings, Template};

/// What `buckets` says in front of itself.
const BUCKETS: &str = "# Buckets whose package lists are copied in when this is saved (lxcctl bucket).\n";

/// What else can stand in one.
const BLANK: &str = "
# [packages]
# base.apt = [\"nginx\", \"curl\"]

# [[script]]
# name = \"20-app.sh\"
# text = '''
# #!/bin/sh
# systemctl enable --now nginx
# '''

# What happens to a file that is there: replace, default (it is kept) or backup (it is moved aside).
# [[file]]
# name = \"nginx.conf\"
# directory = \"/etc/nginx\"
# policy = \"backup\"
# text = '''
# '''
";

/// The text that is read as this template.
#[must_use]
pub fn write_page(template: &Template) -> String {
    let settings = &template.settings;
    let mut page = format!(
        "# The template {}. A script is run in the order of the number in its name.\n",
        template.name
    );
    let list = |items: &[String]| items.iter().map(|item| written(item)).collect::<Vec<_>>().join(", ");
    for (key, value) in [
        ("description", written(&settings.description)),
        ("tags", format!("[{}]", list(&settings.tags))),
        ("os", written(&settings.os)),
        ("version", written(&settings.version)),
        ("cpu", settings.cpu.to_string()),
        ("ram_mb", settings.ram_mb.to_string()),
        ("disk_gb", settings.disk_gb.to_string()),
        ("unprivileged", settings.unprivileged.to_string()),
        ("nesting", settings.nesting.to_string()),
        ("keyctl", settings.keyctl.to_string()),
        ("fuse", settings.fuse.to_string()),
    ] {
        put(&mut page, key, &value);
    }
    page.push_str(BUCKETS);
    page.push_str("buckets = []\n");
    if !template.packages.is_empty() {
        page.push_str("\n[packages]\n");
    }
    for packages in &template.packages {
        let key = format!("{}.{}", key(&packages.name), packages.manager);
        put(&mut page, &key, &lines(&packages.items));
    }
    for script in &template.scripts {
        page.push_str("\n[[script]]\n");
        put(&mut page, "name", &written(&script.name));
        put(&mut page, "text", &written(&script.text));
    }
    for file in &template.files {
        page.push_str("\n[[file]]\n");
        put(&mut page, "name", &written(&file.name));
        put(&mut page, "directory", &written(&file.directory));
        if file.policy != Policy::Default {
            put(&mut page, "policy", &written(file.policy.as_str()));
        }
        if file.executable {
            put(&mut page, "executable", "true");
        }
        put(&mut page, "text", &written(&file.text));
    }
    page
}

/// The text that a new template of that name begins as.
#[must_use]
pub fn blank_page(name: &str) -> String {
    let settings = Settings {
        description: String::new(),
        tags: Vec::new(),
        os: "debian".to_owned(),
        version: String::new(),
        cpu: 1,
        ram_mb: 512,
        disk_gb: 8,
        unprivileged: true,
        nesting: false,
        keyctl: false,
        fuse: false,
    };
    let nothing = Template {
        name: name.to_owned(),
        settings,
        scripts: Vec::new(),
        files: Vec::new(),
        packages: Vec::new(),
    };
    format!("{}{BLANK}", write_page(&nothing))
}

/// The text that a bucket with these lists is edited as.
#[must_use]
pub fn write_lists(lists: &[PackageList]) -> String {
    let mut page = String::from("# Packages by manager: apt, apk, dnf, npm, pip or custom.\n");
    for list in lists {
        put(&mut page, list.manager.as_str(), &lines(&list.items));
    }
    page
}

fn put(page: &mut String, key: &str, value: &str) {
    page.push_str(&format!("{key} = {value}\n"));
}

/// Bare where it may be.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { written(name) }
}

/// An array with a line for each.
fn lines(items: &[String]) -> String {
    let items: String = items.iter().map(|item| format!("    {},\n", written(item))).collect();
    if items.is_empty() { "[]".to_owned() } else { format!("[\n{items}]") }
}

/// A string, over several lines where it has some, and without escapes where it needs none.
fn written(text: &str) -> String {
    let several = text.contains('\n');
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    let plain = !text.contains(odd) && !text.contains("'''") && !text.ends_with('\'');
    if several && plain {
        return format!("'''\n{text}'''");
    }
    if !several && plain && text.contains(['"', '\\']) && !text.contains('\'') {
        return format!("'{text}'");
    }
    let mut out = String::from(if several { "\"\"\"\n" } else { "\"" });
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => drop(write!(out, "\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push_str(if several { "\"\"\"" } else { "\"" });
    out
}
