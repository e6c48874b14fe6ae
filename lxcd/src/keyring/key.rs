//! Keys and their text form: a line `id:base64` each, `#` comments, the first one active. Owns parsing
//! and generation; must not touch files (`file`) or ciphertexts (`seal`).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lxc_core::error::{Code, Error};
use zeroize::Zeroizing;

/// AES-256.
const KEY_BYTES: usize = 32;
/// Longest key id.
const ID_CHARS: usize = 32;

pub(super) struct Key {
    pub(super) id: String,
    pub(super) bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl Key {
    fn generate() -> Result<Self, Error> {
        let mut id = [0; 4];
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        random(&mut id)?;
        random(bytes.as_mut_slice())?;
        Ok(Self { id: hex::encode(id), bytes })
    }
}

impl Clone for Key {
    fn clone(&self) -> Self {
        Self { id: self.id.clone(), bytes: self.bytes.clone() }
    }
}

/// Random bytes from the kernel.
pub(super) fn random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes).map_err(|error| {
        Error::new(Code::Internal, "the kernel gives no random bytes").because(error.to_string())
    })
}

/// One or more keys; the first seals, all open. `Debug` shows their ids only.
#[derive(Clone)]
pub struct Keyring {
    keys: Vec<Key>,
}

impl Keyring {
    /// A ring with one new key.
    ///
    /// # Errors
    /// LXC0107 when the kernel gives no random bytes.
    pub fn generate() -> Result<Self, Error> {
        Ok(Self { keys: vec![Key::generate()?] })
    }

    /// Reads the text of a key file. `name` is how errors call it.
    ///
    /// # Errors
    /// LXC0212 naming the line, never what stands in it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let mut keys: Vec<Key> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = |why: &str| {
                Error::new(Code::BadConfig, format!("{name}:{}: {why}", index + 1))
                    .because("a key file has a line `id:base64` for each key, the active one first")
            };
            let (id, encoded) = line.split_once(':').ok_or_else(|| bad("no `id:` in front of the key"))?;
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if id.is_empty() || id.len() > ID_CHARS || !id.chars().all(plain) {
                return Err(bad("the key id must be 1 to 32 letters, digits, - or _"));
            }
            if keys.iter().any(|key| key.id == id) {
                return Err(bad("this key id is there twice"));
            }
            let decoded = STANDARD.decode(encoded.trim()).map_err(|_| bad("the key is not base64"))?;
            let decoded = Zeroizing::new(decoded);
            let mut bytes = Zeroizing::new([0; KEY_BYTES]);
            if decoded.len() != KEY_BYTES {
                return Err(bad(&format!("the key has {} bytes instead of 32", decoded.len())));
            }
            bytes.copy_from_slice(&decoded);
            keys.push(Key { id: id.to_owned(), bytes });
        }
        if keys.is_empty() {
            return Err(Error::new(Code::BadConfig, format!("{name} holds no key")));
        }
        Ok(Self { keys })
    }

    /// The text [`Self::parse`] reads.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from(
            "# Keys of lxcd. Without them the secrets in its database are lost: keep a copy.\n",
        ));
        // Enough room at once: a string that grows leaves copies behind.
        text.reserve(self.keys.len() * (ID_CHARS + 2 * KEY_BYTES));
        for key in &self.keys {
            let encoded = Zeroizing::new(STANDARD.encode(key.bytes.as_slice()));
            text.push_str(&key.id);
            text.push(':');
            text.push_str(&encoded);
            text.push('\n');
        }
        text
    }

    /// The same with a new active key in front; old ones still open.
    ///
    /// # Errors
    /// LXC0107 when the kernel gives no random bytes.
    pub fn rotated(&self) -> Result<Self, Error> {
        let mut keys = vec![Key::generate()?];
        keys.extend(self.keys.iter().cloned());
        Ok(Self { keys })
    }

    /// The active key alone: for when nothing is sealed with the others any more.
    #[must_use]
    pub fn without_old(&self) -> Self {
        Self { keys: self.keys.iter().take(1).cloned().collect() }
    }

    /// Id of the key that seals.
    #[must_use]
    pub fn active_id(&self) -> &str {
        self.keys.first().map_or("", |key| key.id.as_str())
    }

    /// Ids of all keys, active first.
    #[must_use]
    pub fn ids(&self) -> Vec<&str> {
        self.keys.iter().map(|key| key.id.as_str()).collect()
    }

    pub(super) fn active(&self) -> Option<&Key> {
        self.keys.first()
    }

    pub(super) fn find(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("ids", &self.ids()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let ring = Keyring::generate().unwrap().rotated().unwrap();
        let again = Keyring::parse("keyring", &ring.to_text()).unwrap();
        assert_eq!(again.ids(), ring.ids());
        assert_eq!(again.to_text(), ring.to_text());
        assert_eq!(ring.without_old().ids(), [ring.active_id()]);
        let encoded = ring.to_text().lines().nth(1).unwrap().split_once(':').unwrap().1.to_owned();
        assert!(!format!("{ring:?}").contains(&encoded));
    }

    #[test]
    fn names_the_bad_line_and_not_its_content() {
        let good = "A".repeat(43) + "=";
        let cases = [
            ("".to_owned(), "holds no key"),
            ("# only a comment\n".to_owned(), "holds no key"),
            (format!("\n{good}"), "keyring:2: no `id:`"),
            (format!("a b:{good}"), "key id must be"),
            (format!("a:{good}\na:{good}"), "keyring:2: this key id is there twice"),
            ("a:hunter2!".to_owned(), "not base64"),
            ("a:AAAA".to_owned(), "3 bytes instead of 32"),
        ];
        for (text, says) in cases {
            let error = Keyring::parse("keyring", &text).unwrap_err();
            assert_eq!(error.code, Code::BadConfig);
            assert!(error.message.contains(says), "{error}");
            assert!(!error.to_string().contains("hunter2") && !error.to_string().contains(&good));
        }
    }
}
