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
        let name = find(word.trim_start_matches(['+', '-']), all, "column")?;
        chosen.retain(|known| *known != name);
        if !word.starts_with('-') {
            chosen.push(name);
        }
    }
    if chosen.is_empty() {
        return Err(Error::new(Code::BadValue, "no column is left")
            .because(asked.to_owned())
            .hint("lxcctl help flags"));
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
        .map(|word| Ok((find(word.trim_start_matches(['+', '-']), all, "column")?, word.starts_with('-'))))
        .collect()
}

fn find<'a>(word: &str, all: &[&'a str], what: &str) -> Result<&'a str> {
    let wanted = word.to_ascii_lowercase();
    if let Some(name) = all.iter().find(|name| **name == wanted) {
        return Ok(name);
    }
    let near = all.iter().min_by_key(|name| strsim::damerau_levenshtein(name, &wanted));
    let error = Error::new(Code::BadValue, format!("there is no {what} {word}")).because(all.join(" "));
    Err(match near {
        Some(near) => error.hint_noted(*near, format!("the nearest {what}")),
        None => error,
    })
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
        assert_eq!(choose(Some("+dsk"), &ALL, &ALL).unwrap_err().code, Code::BadValue);
        assert_eq!(order(Some("-cpu,name"), &ALL).unwrap(), [("cpu", true), ("name", false)]);
    }
}
