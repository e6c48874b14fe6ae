//! `--columns` and `--sort`: which columns a list shows and in which order its rows come. Owns reading
//! both; must not know what is in a column.

use lxc_core::error::{Code, Error, Result};

/// The columns to show, by their lower-case names.
///
/// # Errors
/// A name that is no column.
pub(super) fn choose<'a>(asked: Option<&str>, usual: &[&'a str], all: &[&'a str]) -> Result<Vec<&'a str>> {
    let mut chosen: Vec<&str> = usual.to_vec();
    let Some(asked) = asked else { return Ok(chosen) };
    let words = || asked.split(',').filter(|word| !word.is_empty());
    // Without a sign anywhere the list is exactly what was named.
    if words().any(|word| !word.starts_with(['+', '-'])) {
        chosen.clear();
    }
    for word in words() {
        let name = find(word, all, "--columns", asked)?;
        chosen.retain(|known| *known != name);
        if !word.starts_with('-') {
            chosen.push(name);
        }
    }
    if chosen.is_empty() {
        return Err(Error::new(Code::BadValue, "no column is left")
            .because(asked.to_owned())
            .hint(format!("{{line}} --columns {}", all[0])));
    }
    Ok(chosen)
}

/// The sort keys, the first one first; true = turned round.
///
/// # Errors
/// A name that is no column.
pub(super) fn order<'a>(asked: Option<&str>, all: &[&'a str]) -> Result<Vec<(&'a str, bool)>> {
    let words = asked.unwrap_or_default().split(',').filter(|word| !word.is_empty());
    words
        .map(|word| Ok((find(word, all, "--sort", asked.unwrap_or_default())?, word.starts_with('-'))))
        .collect()
}

/// The word of these that is most like that one.
pub(super) fn nearest<'a>(word: &str, all: &[&'a str]) -> &'a str {
    all.iter().copied().min_by_key(|name| strsim::damerau_levenshtein(name, word)).unwrap_or_default()
}

/// The column a word means, whatever its sign; where there is none, the command line with the nearest one.
fn find<'a>(word: &str, all: &[&'a str], flag: &str, asked: &str) -> Result<&'a str> {
    let bare = word.trim_start_matches(['+', '-']);
    let wanted = bare.to_ascii_lowercase();
    if let Some(name) = all.iter().find(|name| **name == wanted) {
        return Ok(name);
    }
    let near = nearest(&wanted, all);
    let better: Vec<String> = asked
        .split(',')
        .map(|part| if part == word { word.replace(bare, near) } else { part.to_owned() })
        .collect();
    Err(Error::new(Code::BadValue, format!("there is no column {bare}"))
        .because(format!("columns: {}", all.join(" ")))
        .hint(format!("{{line}} {flag} {}", better.join(","))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 4] = ["target", "name", "cpu", "disk"];

    #[test]
    fn signs_change_the_usual_columns_and_names_replace_them() {
        let pick = |asked| choose(Some(asked), &ALL[..3], &ALL).unwrap();
        assert_eq!(pick("+disk,-cpu"), ["target", "name", "disk"]);
        assert_eq!(pick("name,target"), ["name", "target"]);
        assert_eq!(choose(None, &ALL[..2], &ALL).unwrap(), ["target", "name"]);
        let refused = choose(Some("+dsk,-cpu"), &ALL, &ALL).unwrap_err();
        assert_eq!((refused.code, refused.message.as_str()), (Code::BadValue, "there is no column dsk"));
        assert_eq!(refused.tries[0].command, "{line} --columns +disk,-cpu");
        assert_eq!(order(Some("-nam"), &ALL).unwrap_err().tries[0].command, "{line} --sort -name");
        assert_eq!(order(Some("-cpu,name"), &ALL).unwrap(), [("cpu", true), ("name", false)]);
    }
}
