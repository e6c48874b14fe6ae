//! Scripts: `NN-name.sh`, in the order of their numbers. Owns their names and what may be in them; must not run or
//! understand them.

use super::custom::{TIMES, seconds};
use super::fault::shown;
use super::read::{Folder, text};
use super::{Fault, LARGEST_FILE, SCRIPTS, Script, is_name};

const NAMED: &str = "a script is called NN-name.sh, NN being its place in the order";
const WINDOWS: &str = "a shell takes the \\r before the end of the line for a part of the last word";

pub(super) fn read(folder: &Folder<'_>, faults: &mut Vec<Fault>) -> Vec<Script> {
    let mut scripts: Vec<Script> = Vec::new();
    for (name, source) in folder {
        let path = format!("{SCRIPTS}/{name}");
        let Some(number) = number(name) else {
            faults.push(Fault::file(&path, "this is no script", NAMED));
            continue;
        };
        let Some(text) = text(&path, source, LARGEST_FILE, faults) else { continue };
        if let Some(at) = text.split_inclusive('\n').position(|line| line.ends_with("\r\n")) {
            let fault = Fault::line(&path, at, "the line ends as on Windows", WINDOWS);
            faults.push(Fault { mend: Some("sed -i 's/\\r$//'"), ..fault });
            continue;
        }
        if text.starts_with('\u{feff}') {
            let why = "the node would not find the #! behind it: save it as UTF-8 without a mark";
            faults.push(Fault::line(&path, 0, "a byte order mark stands before the text", why));
            continue;
        }
        if let Some((at, time)) = timeouts(text).next().filter(|(_, time)| seconds(time).is_none()) {
            let what = format!("the script may take {:?}", shown(time));
            faults.push(Fault::line(&path, at, what, TIMES));
            continue;
        }
        if let Some(same) = scripts.iter().find(|known| known.number == number) {
            let what = format!("number {number} is {}'s already", same.name);
            faults.push(Fault::file(&path, what, "the number is the order; no two scripts share one"));
            continue;
        }
        scripts.push(Script { name: (*name).to_owned(), number, text: text.to_owned() });
    }
    scripts.sort_by_key(|script| script.number);
    scripts
}

/// Where near its top a script says how long it may take, and what: lines `# timeout: 10m`, the first of which counts.
pub fn timeouts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().take(20).enumerate().filter_map(|(at, line)| {
        let value = line.trim().strip_prefix('#')?.trim().strip_prefix("timeout:")?;
        Some((at, value.trim()))
    })
}

/// `20` of `20-nodejs.sh`.
fn number(name: &str) -> Option<u32> {
    let (number, rest) = name.split_once('-')?;
    let what = rest.strip_suffix(".sh")?;
    let digits = (1..=6).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    (digits && is_name(what)).then(|| number.parse().ok()).flatten()
}
