//! What a package of each manager looks like: a name and, where the manager can, a version. Owns the characters: what
//! passes here can stand on the manager's command line and is neither an option nor shell code.

use super::Manager;
use super::fault::shown;

/// What is wrong, and what would be right.
pub(super) type Refusal = (String, String);

/// The name in it.
pub(super) fn check(manager: Manager, text: &str) -> Result<&str, Refusal> {
    if text.starts_with('-') || text.split_whitespace().any(|word| word.starts_with('-')) {
        let why = "a list names packages only; lxcd gives the manager its options";
        return Err((format!("there is an option in it: {}", shown(text)), why.to_owned()));
    }
    if text.contains(char::is_whitespace) {
        return Err((format!("there are several words: {}", shown(text)), "one package a line".to_owned()));
    }
    let (found, form) = match manager {
        Manager::Apt => (apt(text), "nginx, nginx=1.26.0-1 or libc6:arm64"),
        Manager::Apk => (apk(text), "nginx, nginx=1.26.0-r1, nginx~1.26 or nginx>1.2"),
        Manager::Dnf => (dnf(text), "nginx, nginx-1.26.0-1.fc41 or @development-tools"),
        Manager::Npm => (npm(text), "typescript, typescript@5.4, @vue/cli or @vue/cli@^5.0"),
        Manager::Pip => (pip(text), "flask, flask==3.0.0, flask>=3,<4 or uvicorn[standard]"),
        Manager::Custom => (None, "NAME|CHECK|INSTALL|TIMEOUT"),
    };
    let name = found.filter(|_| text.len() <= 200);
    name.ok_or_else(|| (format!("this is no {manager} package: {}", shown(text)), format!("such as {form}")))
}

/// What the package is called that an item of a list names; None for a custom line and for what is no item.
#[must_use]
pub fn name_of(manager: Manager, item: &str) -> Option<&str> {
    check(manager, item).ok()
}

/// The text up to where one of these begins, and the rest with it.
fn before<'a>(text: &'a str, ends: &[char]) -> (&'a str, &'a str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

fn word(text: &str, first: fn(char) -> bool, others: &str) -> bool {
    text.starts_with(first) && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

fn letter(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

fn apt(text: &str) -> Option<&str> {
    let (package, version) = before(text, &['=']);
    let (name, architecture) = before(package, &[':']);
    let small = |text: &str| !text.contains(|c: char| c.is_ascii_uppercase());
    let fits = word(name, letter, "+-.") && small(name);
    let version = version.is_empty() || word(&version[1..], letter, "+-.:~");
    let architecture = architecture.is_empty() || word(&architecture[1..], letter, "-");
    // A dash at the end asks apt to remove the package, whatever stands before it.
    (fits && version && architecture && !text.ends_with('-')).then_some(package)
}

fn apk(text: &str) -> Option<&str> {
    let (name, rest) = before(text, &['=', '~', '<', '>']);
    let version = rest.trim_start_matches(['=', '~', '<', '>']);
    let operator = &rest[..rest.len() - version.len()];
    let known = ["", "=", "~", "~=", "=~", "<", ">", "<=", ">="].contains(&operator);
    let versioned = operator.is_empty() || word(version, letter, "._-");
    (word(name, letter, "+._-") && known && versioned).then_some(name)
}

fn dnf(text: &str) -> Option<&str> {
    let fits = word(text.strip_prefix('@').unwrap_or(text), letter, "+._:~^-");
    fits.then_some(text)
}

fn npm(text: &str) -> Option<&str> {
    let scoped = usize::from(text.starts_with('@'));
    let end = text[scoped..].find('@').map_or(text.len(), |at| at + scoped);
    let (name, version) = text.split_at(end);
    let part = |text: &str| word(text, letter, "._-");
    let fits = match name.strip_prefix('@') {
        Some(name) => name.split_once('/').is_some_and(|(scope, name)| part(scope) && part(name)),
        None => part(name),
    };
    let first = |c: char| c.is_ascii_alphanumeric() || matches!(c, '^' | '~' | '<' | '>' | '=' | '*');
    let version = version.is_empty() || word(&version[1..], first, "._-+^~<>=*");
    (fits && version).then_some(name)
}

fn pip(text: &str) -> Option<&str> {
    let (project, versions) = before(text, &['=', '!', '~', '<', '>']);
    let (name, extras) = before(project, &['[']);
    let part = |text: &str| word(text, letter, "._-");
    let extras =
        extras.is_empty() || extras[1..].strip_suffix(']').is_some_and(|extras| extras.split(',').all(part));
    let versions = versions.is_empty() || versions.split(',').all(pip_version);
    (part(name) && extras && versions).then_some(name)
}

fn pip_version(text: &str) -> bool {
    let version = text.trim_start_matches(['=', '!', '~', '<', '>']);
    let operator = &text[..text.len() - version.len()];
    let known = ["==", "!=", "~=", "<=", ">=", "<", ">", "==="].contains(&operator);
    known && word(version, letter, "._+!*-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_with_and_without_versions() {
        for (manager, text, name) in [
            (Manager::Apt, "nginx", "nginx"),
            (Manager::Apt, "g++", "g++"),
            (Manager::Apt, "nginx=1.26.0-1~bpo12+1", "nginx"),
            (Manager::Apt, "libc6:arm64=1:2.3", "libc6:arm64"),
            (Manager::Apk, "nginx", "nginx"),
            (Manager::Apk, "nginx~1.26", "nginx"),
            (Manager::Apk, "nginx>=1.2-r0", "nginx"),
            (Manager::Dnf, "nginx-1.26.0-1.fc41", "nginx-1.26.0-1.fc41"),
            (Manager::Dnf, "@development-tools", "@development-tools"),
            (Manager::Npm, "typescript", "typescript"),
            (Manager::Npm, "@vue/cli@^5.0", "@vue/cli"),
            (Manager::Npm, "pm2@latest", "pm2"),
            (Manager::Pip, "flask>=3,<4", "flask"),
            (Manager::Pip, "uvicorn[standard,ext]==0.3.*", "uvicorn"),
        ] {
            assert_eq!(check(manager, text), Ok(name), "{manager} {text}");
        }
    }

    #[test]
    fn options_and_shell_code_are_no_packages() {
        for manager in &Manager::ALL[..5] {
            for text in [
                "-y",
                "--force nginx",
                "nginx -y",
                "a b",
                "a;b",
                "$(id)",
                "a|b",
                "../x",
                "a`b`",
                "a&b",
                "'a'",
                "a=",
                "é",
            ] {
                assert!(check(*manager, text).is_err(), "{manager} {text}");
            }
        }
        assert!(check(Manager::Pip, "-r requirements.txt").unwrap_err().0.contains("option"));
        for text in ["Nginx", "nginx-", "nginx:amd64-", "nginx=1.2-"] {
            assert!(check(Manager::Apt, text).is_err(), "{text}");
        }
        assert!(check(Manager::Npm, "@vue").is_err());
        assert!(check(Manager::Pip, "flask=3").is_err());
    }
}
