//! template.conf: the keys, their ranges and defaults. Owns what each may be; how a line is quoted is `shell`'s.

use super::fault::shown;
use super::{
    CONF, Fault, LARGEST_DISK_GB, LEAST_MEMORY_MB, MOST_CORES, MOST_MEMORY_MB, NAMES, Settings, is_name,
    shell,
};

const KEYS: [&str; 12] = [
    "TEMPLATE_APP",
    "TEMPLATE_TAGS",
    "TEMPLATE_DESCRIPTION",
    "TEMPLATE_CPU",
    "TEMPLATE_RAM",
    "TEMPLATE_DISK",
    "TEMPLATE_OS",
    "TEMPLATE_VERSION",
    "TEMPLATE_UNPRIVILEGED",
    "TEMPLATE_NESTING",
    "TEMPLATE_KEYCTL",
    "TEMPLATE_FUSE",
];

/// Characters of a description.
const LONGEST_DESCRIPTION: usize = 1_000;
/// Tags of a template.
const MOST_TAGS: usize = 32;

/// Reads the file: the name, if it says one, and the rest.
pub(super) fn read(text: &str, faults: &mut Vec<Fault>) -> (Option<String>, Settings) {
    let mut name = None;
    let mut settings = Settings {
        description: String::new(),
        tags: Vec::new(),
        os: String::new(),
        version: String::new(),
        cpu: 1,
        ram_mb: 512,
        disk_gb: 8,
        unprivileged: true,
        nesting: false,
        keyctl: false,
        fuse: false,
    };
    let mut seen: Vec<(&str, usize)> = Vec::new();
    let mut unread: Vec<&str> = Vec::new();
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let (key, value) = match shell::assignment(line) {
            Ok(None) => continue,
            Ok(Some(found)) => found,
            Err(refusal) => {
                let what = format!("{}: {}", refusal.what, shown(line.trim()));
                faults.push(Fault::line(CONF, at, what, refusal.why));
                // It is there, however it is written: what is wrong with it is said once.
                unread.extend(KEYS.into_iter().find(|key| line.trim_start().starts_with(&format!("{key}="))));
                continue;
            }
        };
        if let Some((_, before)) = seen.iter().find(|(known, _)| *known == key) {
            let why = format!("line {} says it already", before + 1);
            faults.push(Fault::line(CONF, at, format!("{key} is there twice"), why));
            continue;
        }
        seen.push((key, at));
        if let Err((what, why)) = take(key, value.trim(), &mut name, &mut settings) {
            faults.push(Fault::line(CONF, at, what, why));
        }
    }
    if !seen.iter().map(|(key, _)| key).chain(&unread).any(|key| *key == "TEMPLATE_OS") {
        let why = "it says what the container is made from: TEMPLATE_OS=\"debian\"";
        faults.push(Fault::file(CONF, "TEMPLATE_OS is missing", why));
    }
    (name, settings)
}

type Taken = Result<(), (String, String)>;

fn take(key: &str, value: &str, name: &mut Option<String>, settings: &mut Settings) -> Taken {
    match key {
        "TEMPLATE_APP" if is_name(value) => *name = Some(value.to_owned()),
        "TEMPLATE_APP" => return no(format!("{key} is {:?}", shown(value)), NAMES),
        "TEMPLATE_TAGS" => settings.tags = tags(value)?,
        "TEMPLATE_DESCRIPTION" => {
            if value.chars().count() > LONGEST_DESCRIPTION {
                return no(format!("{key} is too long"), format!("at most {LONGEST_DESCRIPTION} characters"));
            }
            value.clone_into(&mut settings.description);
        }
        "TEMPLATE_CPU" => settings.cpu = number(key, value, 1, MOST_CORES, "cores")?,
        "TEMPLATE_RAM" => settings.ram_mb = number(key, value, LEAST_MEMORY_MB, MOST_MEMORY_MB, "MB")?,
        "TEMPLATE_DISK" => settings.disk_gb = number(key, value, 1, LARGEST_DISK_GB, "GB")?,
        "TEMPLATE_OS" if is_name(value) => settings.os = value.to_ascii_lowercase(),
        "TEMPLATE_OS" => {
            return no(format!("{key} is {:?}", shown(value)), "a system such as debian or alpine");
        }
        "TEMPLATE_VERSION" if value.is_empty() || is_name(value) => value.clone_into(&mut settings.version),
        "TEMPLATE_VERSION" => {
            return no(format!("{key} is {:?}", shown(value)), "a version such as 13 or 24.04");
        }
        "TEMPLATE_UNPRIVILEGED" => settings.unprivileged = flag(key, value)?,
        "TEMPLATE_NESTING" => settings.nesting = flag(key, value)?,
        "TEMPLATE_KEYCTL" => settings.keyctl = flag(key, value)?,
        "TEMPLATE_FUSE" => settings.fuse = flag(key, value)?,
        _ => {
            let near = KEYS.into_iter().min_by_key(|known| strsim::damerau_levenshtein(known, key));
            let meant = near.filter(|near| strsim::damerau_levenshtein(near, key) <= 3);
            let why = meant.map_or_else(|| format!("keys: {}", KEYS.join(" ")), |near| format!("{near}?"));
            return no(format!("there is no key {}", shown(key)), why);
        }
    }
    Ok(())
}

fn no<T>(what: String, why: impl Into<String>) -> Result<T, (String, String)> {
    Err((what, why.into()))
}

fn number(key: &str, value: &str, least: u32, most: u32, unit: &str) -> Result<u32, (String, String)> {
    let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse::<u32>() {
        Ok(number) if plain && (least..=most).contains(&number) => Ok(number),
        _ => no(
            format!("{key} is {:?}", shown(value)),
            format!("a whole number from {least} to {most}, in {unit}"),
        ),
    }
}

fn flag(key: &str, value: &str) -> Result<bool, (String, String)> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" => Ok(true),
        "0" | "no" | "false" => Ok(false),
        _ => no(format!("{key} is {:?}", shown(value)), "1 or 0 (yes and no, true and false are read too)"),
    }
}

/// As Proxmox writes them.
fn tags(value: &str) -> Result<Vec<String>, (String, String)> {
    let first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let mut tags: Vec<String> = Vec::new();
    for tag in value.split(';').map(str::trim).filter(|tag| !tag.is_empty()) {
        if !tag.starts_with(first) || !tag.chars().all(|c| first(c) || matches!(c, '-' | '+' | '.')) {
            return no(
                format!("TEMPLATE_TAGS has {:?} in it", shown(tag)),
                "a tag has lower-case letters, digits and _-+. in it; ; stands between tags",
            );
        }
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    if tags.len() > MOST_TAGS {
        return no(format!("TEMPLATE_TAGS has {} tags", tags.len()), format!("at most {MOST_TAGS}"));
    }
    Ok(tags)
}

/// The file that is read as these.
pub(super) fn written(name: &str, settings: &Settings) -> String {
    let flag = |on: bool| String::from(if on { "1" } else { "0" });
    let values = [
        name.to_owned(),
        settings.tags.join(";"),
        settings.description.clone(),
        settings.cpu.to_string(),
        settings.ram_mb.to_string(),
        settings.disk_gb.to_string(),
        settings.os.clone(),
        settings.version.clone(),
        flag(settings.unprivileged),
        flag(settings.nesting),
        flag(settings.keyctl),
        flag(settings.fuse),
    ];
    KEYS.iter().zip(values).map(|(key, value)| shell::written(key, &value)).collect()
}
