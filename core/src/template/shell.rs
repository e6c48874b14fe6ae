//! `KEY="${KEY:-default}"`: one line of template.conf, as a shell would understand it if it only assigned. Owns the
//! quoting in both directions; whatever a shell would have to execute or look up is refused.

/// Why a line is no assignment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) what: &'static str,
    pub(super) why: &'static str,
}

const LINE: &str =
    "template.conf is read and never run: a line is KEY=\"value\", KEY=\"${KEY:-value}\" or a # comment";
const OTHER: &str = "only a variable's own default is read: KEY=\"${KEY:-value}\"";
const QUOTE: &str = "a value that begins with a quotation mark ends with it, on the same line";
const BARE: &str = "a value with anything but letters, digits and ./:@%+,_- in it stands in quotation marks";

fn no(what: &'static str, why: &'static str) -> Refusal {
    Refusal { what, why }
}

/// Key and value of a line; None for an empty line or a comment.
pub(super) fn assignment(line: &str) -> Result<Option<(&str, String)>, Refusal> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (key, rest) = line.split_once('=').ok_or_else(|| no("this is shell code", LINE))?;
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !key.starts_with(first) || !key.chars().all(|c| first(c) || c.is_ascii_digit()) {
        return Err(no("this is shell code", LINE));
    }
    let (value, rest) = value(key, rest)?;
    let tail = rest.trim_start();
    let comment = tail.starts_with('#') && tail.len() < rest.len();
    if !tail.is_empty() && !comment {
        return Err(no("there is shell code behind the value", LINE));
    }
    if value.chars().any(char::is_control) {
        return Err(no("the value has a control character in it", "values are text on one line"));
    }
    Ok(Some((key, value)))
}

/// The value, and what stands behind it.
fn value<'a>(key: &str, text: &'a str) -> Result<(String, &'a str), Refusal> {
    if let Some(rest) = text.strip_prefix('\'') {
        let (value, rest) =
            rest.split_once('\'').ok_or_else(|| no("a quotation mark is not closed", QUOTE))?;
        return Ok((value.to_owned(), rest));
    }
    if let Some(rest) = text.strip_prefix('"') {
        return match default_of(key, rest)? {
            Some(inner) => {
                let (value, rest) = quoted(inner, '}')?;
                let rest = rest.strip_prefix('"').ok_or_else(|| no("a value is put together", OTHER))?;
                Ok((value, rest))
            }
            None => quoted(rest, '"'),
        };
    }
    let bare = |text: &'a str| {
        let end = text.find(|c: char| !is_bare(c)).unwrap_or(text.len());
        (text[..end].to_owned(), &text[end..])
    };
    let (value, rest) = match default_of(key, text)? {
        Some(inner) => {
            let (value, rest) = bare(inner);
            (value, rest.strip_prefix('}').ok_or_else(|| no("a default is not plain", BARE))?)
        }
        None => bare(text),
    };
    if rest.starts_with(char::is_whitespace) || rest.is_empty() {
        return Ok((value, rest));
    }
    Err(match rest.chars().next() {
        Some('$' | '`') => no("this is shell code", LINE),
        Some('"' | '\'') => no("a value is put together", QUOTE),
        _ => no("the value is not in quotation marks", BARE),
    })
}

fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '/' | ':' | '@' | '%' | '+' | ',' | '_' | '-')
}

/// What stands behind `${KEY:-`, if the text begins so.
fn default_of<'a>(key: &str, text: &'a str) -> Result<Option<&'a str>, Refusal> {
    let Some(inner) = text.strip_prefix("${") else { return Ok(None) };
    let inner = inner.strip_prefix(key).and_then(|rest| rest.strip_prefix(":-"));
    inner.map(Some).ok_or_else(|| no("the value refers to something else", OTHER))
}

/// The text up to an `end` that is not escaped, as between quotation marks, and what stands behind it.
fn quoted(text: &str, end: char) -> Result<(String, &str), Refusal> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == end => return Ok((value, &text[at + c.len_utf8()..])),
            '"' => return Err(no("a quotation mark stands in a value", "inside a value it is written \\\"")),
            '$' | '`' => return Err(no("there is shell code in the value", LINE)),
            '\\' => match chars.next() {
                Some((_, next)) if matches!(next, '"' | '\\' | '$' | '`') || next == end => value.push(next),
                // A backslash before anything else is one, as in a shell.
                Some((_, next)) => value.extend(['\\', next]),
                None => break,
            },
            c => value.push(c),
        }
    }
    Err(no("a quotation mark or brace is not closed", QUOTE))
}

/// The line that is read as that key and value.
pub(super) fn written(key: &str, value: &str) -> String {
    let mut line = format!("{key}=\"${{{key}:-");
    for c in value.chars() {
        if matches!(c, '"' | '\\' | '$' | '`' | '}') {
            line.push('\\');
        }
        line.push(c);
    }
    line.push_str("}\"\n");
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_to_write_a_value() {
        for (line, want) in [
            ("A=1", "1"),
            ("A=", ""),
            ("  A=debian  # the stable one", "debian"),
            ("A='a b;c'", "a b;c"),
            ("A=\"a b\"", "a b"),
            ("A=\"${A:-web;dev}\"", "web;dev"),
            ("A=${A:-2}", "2"),
            ("A=\"${A:-}\"", ""),
            ("A=\"say \\\"hi\\\" for 5\\$ \\n\"", "say \"hi\" for 5$ \\n"),
            ("A=\"${A:-a\\}b}\" # x", "a}b"),
            ("A=\"it's\"", "it's"),
        ] {
            assert_eq!(assignment(line), Ok(Some(("A", want.to_owned()))), "{line}");
        }
        for line in ["", "   ", "#!/bin/bash", "# A=1"] {
            assert_eq!(assignment(line), Ok(None), "{line}");
        }
    }

    #[test]
    fn whatever_a_shell_would_do_is_refused() {
        for line in [
            "rm -rf /",
            "source ./other.conf",
            "export A=1",
            "A=$(id)",
            "A=`id`",
            "A=\"$(id)\"",
            "A=\"`id`\"",
            "A=\"$HOME\"",
            "A=\"${HOME}\"",
            "A=\"${B:-1}\"",
            "A=\"${A:-$(id)}\"",
            "A=\"${A:=1}\"",
            "A=${A:-a b}",
            "A=1; rm -rf /",
            "A=\"1\"; id",
            "A=\"1\" id",
            "A=1 id",
            "A=\"1\"#no comment",
            "A='1",
            "A=\"1",
            "A=\"1\\",
            "A=\"${A:-1\"",
            "A=a;b",
            "A=\"a\"\"b\"",
            "A=\"a\tb\"",
            "A+=1",
            "A[0]=1",
            "=1",
            "if true; then A=1; fi",
        ] {
            assert!(assignment(line).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in "\\PC{0,40}") {
            let line = written("TEMPLATE_X", &value);
            prop_assert_eq!(assignment(&line), Ok(Some(("TEMPLATE_X", value))));
        }

        #[test]
        fn any_line_is_read_or_refused(line in "(A=)?[A-Za-z$\"'`\\\\{}:# -]{0,30}") {
            let _ = assignment(&line);
        }
    }
}
