//! What an answer is: data, a refusal in Proxmox's words, a word of its proxy, or nothing of Proxmox's
//! at all. Owns the reading of status lines and envelopes (docs/proxmox.md, HTTP and Errors); pure, must not
//! know about connections.

use std::collections::BTreeMap;

use lxc_core::ids::Vmid;
use lxc_core::ports::PveError;
use lxc_core::pve::Refusal;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::scalar::{Object, Scalar};

/// How much of a strange answer is shown.
const SHOWN: usize = 80;

/// The rows of a list. One that cannot be read hides nobody but whom it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows<T> {
    /// Those that could be read.
    pub rows: Vec<T>,
    /// For each that could not: the vmid, where at least that could.
    pub unread: Vec<Option<Vmid>>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(rows: Vec<T>) -> Self {
        Self { rows, unread: Vec::new() }
    }
}

/// One complete answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer<'a> {
    /// `host:port` that gave it.
    pub(super) from: &'a str,
    pub(super) status: u16,
    /// The reason phrase; empty when it had none that could be read.
    pub(super) reason: &'a str,
    pub(super) body: &'a [u8],
}

/// What Proxmox puts around errors since early 2025; before that only `data` is there.
#[derive(Debug, Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    message: Scalar,
    #[serde(default)]
    errors: Option<BTreeMap<String, Scalar>>,
}

/// What Proxmox puts around data. Missing data is null, which some calls answer on purpose.
#[derive(Debug, Deserialize)]
struct Data<T> {
    data: T,
}

impl Answer<'_> {
    /// The data of a good answer.
    pub(super) fn data<T: DeserializeOwned>(&self) -> Result<T, PveError> {
        self.check()?;
        let read: Result<Data<T>, _> = serde_json::from_slice(self.body);
        read.map(|found| found.data).map_err(|error| self.garbage(&describe(&error)))
    }

    /// The data of a good answer that must be an object.
    pub(super) fn object<T: DeserializeOwned>(&self) -> Result<T, PveError> {
        self.data::<Object<T>>().map(|object| object.0)
    }

    /// The data of a good answer that must be a list of objects.
    pub(super) fn rows<T: DeserializeOwned>(&self) -> Result<Vec<T>, PveError> {
        self.data::<Vec<Object<T>>>().map(|rows| rows.into_iter().map(|row| row.0).collect())
    }

    /// The data of a good answer that must be a list, of which some rows may be anything. One that reads none of
    /// its rows is not the list that was asked for.
    pub(super) fn rows_that_read<T, R>(
        &self,
        what: &str,
        read: impl Fn(T) -> Result<R, Option<Vmid>>,
    ) -> Result<Rows<R>, PveError>
    where
        T: DeserializeOwned,
    {
        // Row by row is a second copy of everything, for the day when it is needed.
        let rows: Vec<Option<T>> = match self.rows() {
            Ok(rows) => rows.into_iter().map(Some).collect(),
            Err(error) => {
                let values: Vec<serde_json::Value> = self.data().map_err(|_| error)?;
                let read = |value| serde_json::from_value::<Object<T>>(value).ok().map(|row| row.0);
                values.into_iter().map(read).collect()
            }
        };
        let mut all = Rows::default();
        for row in rows {
            match row.map_or(Err(None), &read) {
                Ok(row) => all.rows.push(row),
                Err(vmid) => all.unread.push(vmid),
            }
        }
        if all.rows.is_empty() && !all.unread.is_empty() { Err(self.garbage(what)) } else { Ok(all) }
    }

    /// Whether the answer is a good one, and what it says otherwise.
    pub(super) fn check(&self) -> Result<(), PveError> {
        match self.status {
            200..=299 => Ok(()),
            300..=399 => Err(self.garbage("a redirect, which the API never does")),
            401 => Err(PveError::Unauthorized(self.words(&self.envelope().unwrap_or_default()))),
            // AnyEvent::HTTP's own codes, as pveproxy passes them on when it cannot reach the next
            // hop (source-notes C1): only 595 is sure to have reached nobody.
            595 => Err(PveError::NotDelivered(self.status_text())),
            596..=599 | 502..=504 => Err(PveError::Lost(self.status_text())),
            _ => Err(self.refusal()),
        }
    }

    fn refusal(&self) -> PveError {
        let envelope = self.envelope();
        if envelope.is_none() && (self.is_markup() || !self.has_own_words()) {
            return self.garbage("no answer of Proxmox's");
        }
        let mut envelope = envelope.unwrap_or_default();
        if let Some(errors) = envelope.errors.take().filter(|errors| !errors.is_empty()) {
            let errors = errors.into_iter().map(|(key, what)| (key, what.text().unwrap_or_default()));
            return PveError::Refused(Refusal::parameters(errors.collect()));
        }
        PveError::Refused(Refusal::from_text(&self.words(&envelope)))
    }

    /// The message, else the reason phrase, else the number. The phrase comes second: it holds one
    /// line at most, and none at all where the text is not ASCII.
    fn words(&self, envelope: &Envelope) -> String {
        let message = envelope.message.clone().word().map(|text| printable(&text, usize::MAX));
        let phrase = || printable(self.reason, usize::MAX);
        let text = message.filter(|text| !text.is_empty()).unwrap_or_else(phrase);
        if text.is_empty() { self.status_text() } else { text }
    }

    /// Proxmox writes its own reason phrases; what stands in the standard is somebody else's.
    fn has_own_words(&self) -> bool {
        let canonical = http::StatusCode::from_u16(self.status).ok().and_then(|code| code.canonical_reason());
        !self.reason.is_empty() && canonical != Some(self.reason)
    }

    /// None when the body is no JSON object of Proxmox's.
    fn envelope(&self) -> Option<Envelope> {
        // Lossy, because a name in an error text must not hide what the error is.
        serde_json::from_str(&String::from_utf8_lossy(self.body)).ok()
    }

    fn is_markup(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    /// `595 No route to host`
    fn status_text(&self) -> String {
        format!("{} {}", self.status, printable(self.reason, usize::MAX)).trim_end().to_owned()
    }

    /// What is not Proxmox's, with its first characters and never more of it.
    pub(super) fn garbage(&self, what: &str) -> PveError {
        let status = if self.status == 200 { String::new() } else { format!(", {}", self.status_text()) };
        let what = if self.is_markup() { "HTML instead of JSON" } else { what };
        let start = printable(&String::from_utf8_lossy(&self.body[..self.body.len().min(4 * SHOWN)]), SHOWN);
        let shown = if start.is_empty() { "an empty body".to_owned() } else { format!("it begins: {start}") };
        PveError::Garbage(format!("{} answered {what}{status}; {shown}", self.from))
    }
}

/// One line, without anything that could move a cursor or change a colour.
fn printable(text: &str, most: usize) -> String {
    let clean = |c: char| if c.is_control() || c == '\u{fffd}' { ' ' } else { c };
    let line: String = text.chars().map(clean).collect();
    line.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(most).collect()
}

/// serde_json's words name types of ours; people need only the place.
fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Eof => "JSON that was cut off".to_owned(),
        Category::Syntax | Category::Io => {
            format!("no JSON (character {} of line {})", error.column(), error.line())
        }
        Category::Data => format!("JSON of another shape ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use lxc_core::pve::RefusalKind;
    use proptest::prelude::*;

    use super::*;

    fn answer<'a>(status: u16, reason: &'a str, body: &'a str) -> Answer<'a> {
        Answer { from: "pve1:8006", status, reason, body: body.as_bytes() }
    }

    fn kind(answer: Answer<'_>) -> RefusalKind {
        match answer.check().unwrap_err() {
            PveError::Refused(refusal) => refusal.kind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn reads_refusals() {
        let message = "{\"data\":null,\"message\":\"CT 104 already running\\n\"}";
        assert_eq!(kind(answer(500, "x", message)), RefusalKind::AlreadyRunning);
        // Before 2025 there is only the phrase.
        assert_eq!(
            kind(answer(500, "CT is locked (backup)", "{\"data\":null}")),
            RefusalKind::Locked("backup".into())
        );
        assert_eq!(kind(answer(500, "CT 104 not running", "")), RefusalKind::NotRunning);
        // A phrase that was not ASCII arrives empty.
        assert_eq!(kind(answer(500, "", "{\"data\":null}")), RefusalKind::Other);
        let errors = "{\"data\":null,\"errors\":{\"vmid\":\"bad\\n\"},\"message\":\"Parameter verification failed.\\n\"}";
        assert_eq!(
            answer(400, "Parameter verification failed.", errors).check(),
            Err(PveError::Refused(Refusal::parameters([("vmid".into(), "bad\n".into())].into())))
        );
    }

    #[test]
    fn tells_proxies_from_proxmox() {
        let lost = |status, reason| matches!(answer(status, reason, "").check(), Err(PveError::Lost(_)));
        assert!(lost(596, "") && lost(599, "x") && lost(504, "Gateway Timeout"));
        assert_eq!(
            answer(595, "No route to host", "").check(),
            Err(PveError::NotDelivered("595 No route to host".into()))
        );
        assert_eq!(answer(401, "No ticket", "").check(), Err(PveError::Unauthorized("No ticket".into())));
        let strange = [
            answer(500, "Internal Server Error", "<html>oops</html>"),
            answer(500, "CT 104 already running", "<html>"),
            answer(404, "Not Found", "nothing here"),
            answer(301, "Moved Permanently", ""),
            answer(403, "Forbidden", ""),
        ];
        for answer in strange {
            assert!(matches!(answer.check(), Err(PveError::Garbage(_))), "{answer:?}");
        }
    }

    #[test]
    fn garbage_is_short_and_clear() {
        let text = |body: &str| match answer(200, "OK", body).data::<Vec<Scalar>>().unwrap_err() {
            PveError::Garbage(text) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            text("{\"data\":[1,"),
            "pve1:8006 answered JSON that was cut off; it begins: {\"data\":[1,"
        );
        assert!(text("<!DOCTYPE html>").starts_with("pve1:8006 answered HTML instead of JSON"));
        assert!(text("").ends_with("an empty body"));
        assert!(text("{\"data\":7}").contains("another shape"));
        let list = answer(200, "OK", "{\"data\":[[1,2]]}");
        assert!(list.rows::<Envelope>().is_err() && list.data::<Scalar>().is_ok());
        let junk = "\u{1b}[31m\u{7}red ".repeat(100_000);
        assert!(text(&junk).len() < 200 && !text(&junk).contains('\u{1b}'));
    }

    proptest! {
        #[test]
        fn never_panics_and_never_rambles(status in 100u16..1000, reason in ".{0,40}", body in proptest::collection::vec(any::<u8>(), 0..600)) {
            let answer = Answer { from: "h:1", status, reason: &reason, body: &body };
            if let Err(PveError::Garbage(text)) = answer.data::<Scalar>() {
                prop_assert!(text.chars().count() < 400);
                prop_assert!(!text.chars().any(char::is_control));
            }
        }
    }
}
