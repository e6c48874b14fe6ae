//! What passes between lxcd and the helper on a node (`scripts/helper.pl`): requests as bytes, and answers out of
//! bytes. Owns that format and its bounds; must not know what is asked.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

/// Bytes of an answer at most: a command's output and a line.
const MOST_ANSWER: usize = (1 << 20) + (64 << 10);
/// Bytes of the line before it.
const MOST_HEAD: usize = 128;

/// What is asked: a verb and its arguments.
#[derive(Clone)]
pub(super) struct Request {
    /// What to do.
    pub(super) verb: &'static str,
    /// With what. Any bytes, also secret ones.
    pub(super) arguments: Vec<Bytes>,
}

impl Request {
    /// A request whose arguments are all text.
    pub(super) fn new(verb: &'static str, arguments: impl IntoIterator<Item = String>) -> Self {
        Self { verb, arguments: arguments.into_iter().map(Bytes::from).collect() }
    }

    /// Bytes of all arguments.
    pub(super) fn size(&self) -> usize {
        self.arguments.iter().map(Bytes::len).sum()
    }

    /// `ID VERB LENGTH…`, a line break, and the arguments; in pieces, so that nobody has to put them together.
    pub(super) fn frame(self, id: u64) -> VecDeque<Bytes> {
        let lengths = self.arguments.iter().map(|argument| format!(" {}", argument.len()));
        let head = format!("{id} {}{}\n", self.verb, lengths.collect::<String>());
        [Bytes::from(head)].into_iter().chain(self.arguments).collect()
    }
}

/// What came of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// Which.
    pub(super) id: u64,
    /// What it came to, or why it failed.
    pub(super) what: Result<Bytes, String>,
}

/// Answers out of bytes as they come.
#[derive(Default)]
pub(super) struct Answers(BytesMut);

impl Answers {
    /// Some more bytes.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next answer, if all of it is there.
    ///
    /// # Errors
    /// What came is no answer; everything behind it is lost.
    pub(super) fn next(&mut self) -> Result<Option<Answer>, String> {
        let Some(end) = self.0.iter().take(MOST_HEAD).position(|byte| *byte == b'\n') else {
            let no_head = self.0.len() >= MOST_HEAD;
            return if no_head { Err(self.nonsense()) } else { Ok(None) };
        };
        let Some((id, ok, length)) = head(&self.0[..end]) else {
            return Err(self.nonsense());
        };
        if self.0.len() < end + 1 + length {
            return Ok(None);
        }
        self.0.advance(end + 1);
        let bytes = self.0.split_to(length).freeze();
        let what = if ok { Ok(bytes) } else { Err(String::from_utf8_lossy(&bytes).trim().to_owned()) };
        Ok(Some(Answer { id, what }))
    }

    fn nonsense(&self) -> String {
        let begin = &self.0[..self.0.len().min(MOST_HEAD)];
        format!("its answer is not ours: {:?}", String::from_utf8_lossy(begin))
    }
}

/// `ID ok|failed LENGTH`
fn head(line: &[u8]) -> Option<(u64, bool, usize)> {
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (id, how, length) = (words.next()?, words.next()?, words.next()?);
    let length = length.parse().ok().filter(|length| *length <= MOST_ANSWER)?;
    let ok = match how {
        "ok" => true,
        "failed" => false,
        _ => return None,
    };
    words.next().is_none().then_some((id.parse().ok()?, ok, length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_tells_how_long_each_argument_is() {
        let mut request = Request::new("start", ["a\nb".to_owned(), String::new()]);
        request.arguments.push(Bytes::from_static(b"\0\xff"));
        assert_eq!(request.size(), 5);
        let bytes: Vec<u8> = request.frame(7).into_iter().flatten().collect();
        assert_eq!(bytes, b"7 start 3 0 2\na\nb\0\xff");
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for bytes in [
            &b"hello\n"[..],
            b"x ok 1\na",
            b"1 fine 1\na",
            b"1 ok -1\n",
            b"1 ok 1114113\n",
            b"1 ok 1 1\na",
            b"\xff\xfe 1 1\n",
            &[b'1'; MOST_HEAD],
        ] {
            let mut answers = Answers::default();
            answers.add(bytes);
            let why = answers.next().unwrap_err();
            assert!(why.starts_with("its answer is not ours: "), "{why}");
        }
    }

    proptest! {
        #[test]
        fn answers_come_whole_however_they_are_cut(
            said in proptest::collection::vec((any::<u64>(), any::<bool>(), "[ -~\n]{0,40}"), 0..6),
            cut in 1_usize..9,
        ) {
            let mut wire = Vec::new();
            for (id, ok, text) in &said {
                let how = if *ok { "ok" } else { "failed" };
                wire.extend_from_slice(format!("{id} {how} {}\n{text}", text.len()).as_bytes());
            }
            let (mut answers, mut got) = (Answers::default(), Vec::new());
            for bytes in wire.chunks(cut) {
                answers.add(bytes);
                while let Some(answer) = answers.next().unwrap() {
                    got.push(answer);
                }
            }
            let expected: Vec<Answer> = said
                .into_iter()
                .map(|(id, ok, text)| {
                    let what = if ok { Ok(Bytes::from(text)) } else { Err(text.trim().to_owned()) };
                    Answer { id, what }
                })
                .collect();
            prop_assert_eq!(got, expected);
        }
    }
}
