//! Text from outside on its way to a terminal. Owns making it harmless; must not change what is printable.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

/// Control characters and direction overrides become visible escapes; a hostname cannot move the cursor.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) || !text.chars().any(is_dangerous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => safe.push_str("\\n"),
            '\t' => safe.push_str("\\t"),
            '\r' => safe.push_str("\\r"),
            c if is_dangerous(c) => {
                // Writing to a String cannot fail.
                let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

fn is_dangerous(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Columns a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// Columns a text takes that was painted: its colours take none.
#[must_use]
pub fn painted_width(text: &str) -> usize {
    let mut pieces = text.split('\x1b');
    let first = pieces.next().map_or(0, width);
    first + pieces.map(|piece| piece.split_once('m').map_or(0, |(_, shown)| width(shown))).sum::<usize>()
}

/// The text in at most `columns`, its end replaced by `…` (`~` without UTF-8) where it is longer.
#[must_use]
pub fn cut(text: &str, columns: usize, unicode: bool) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut short = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += width(c.encode_utf8(&mut [0; 4]));
        if used > columns {
            break;
        }
        short.push(c);
    }
    short.push(if unicode { '…' } else { '~' });
    Cow::Owned(short)
}

/// The text in lines of at most `columns`, broken between words; a longer word has a line of its own. In a pipe
/// (`None`) nothing is broken.
#[must_use]
pub fn wrap(text: &str, columns: Option<usize>) -> String {
    let Some(columns) = columns else { return text.to_owned() };
    let mut wrapped = String::with_capacity(text.len() + 4);
    let mut used = 0;
    for word in text.split(' ') {
        let wide = width(word);
        if used > 0 && used + 1 + wide > columns {
            wrapped.push('\n');
            used = 0;
        } else if used > 0 {
            wrapped.push(' ');
            used += 1;
        }
        wrapped.push_str(word);
        used += wide;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_cannot_move_the_cursor() {
        assert_eq!(escape("web-1"), "web-1");
        assert_eq!(escape("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\n");
        assert_eq!(escape("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(escape("büro-1"), "büro-1");
    }

    #[test]
    fn long_sentences_are_broken_between_words() {
        assert_eq!(wrap("Deletes homelab/104 (web-1).", Some(20)), "Deletes homelab/104\n(web-1).");
        assert_eq!(wrap("a homelab/104 b", Some(5)), "a\nhomelab/104\nb");
        assert_eq!(wrap("a b", None), "a b");
    }

    #[test]
    fn colours_take_no_columns() {
        assert_eq!(painted_width("\x1b[1mweb-1\x1b[0m  up"), 9);
        assert_eq!(painted_width("日本"), 4);
    }

    #[test]
    fn long_text_is_cut_by_columns() {
        assert_eq!(cut("web-node-1", 6, true), "web-n…");
        assert_eq!(cut("日本語", 4, true), "日…");
        assert_eq!(cut("web", 3, true), "web");
        assert_eq!(cut("web-1", 3, false), "we~");
    }
}
