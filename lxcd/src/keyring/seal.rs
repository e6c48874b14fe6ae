//! The sealed form `v1:<key id>:<base64 of nonce and ciphertext>` and the check value. Owns every use
//! of a key; must not read or write files.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lxc_core::error::{Code, Error};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroize;

use super::key::{Key, Keyring, random};

/// The only form so far.
const VERSION: &str = "v1";
/// 96 bits, random for each sealing: safe for 2³² sealings per key, and rotation is there before that.
const NONCE_BYTES: usize = 12;

/// Where a secret lives. Part of what is authenticated: a ciphertext that is moved to another row or
/// column does not open there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// Table name.
    pub table: &'a str,
    /// Primary key of the row.
    pub row: &'a str,
    /// Column name.
    pub column: &'a str,
}

/// Where the check value lives.
const CHECK: Place<'static> = Place { table: "keyring", row: "check", column: "value" };
/// What it says.
const CHECK_TEXT: &str = "lxcd";

impl Place<'_> {
    /// Each part with its length in front, so that no two places run together to the same bytes.
    fn associated_data(&self) -> Vec<u8> {
        let mut all = Vec::from(VERSION.as_bytes());
        for part in [self.table, self.row, self.column] {
            all.extend_from_slice(&(part.len() as u64).to_be_bytes());
            all.extend_from_slice(part.as_bytes());
        }
        all
    }
}

fn cipher(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new(&(*key.bytes).into())
}

fn wrong(why: impl Into<String>) -> Error {
    Error::new(Code::WrongKey, "the keys do not open what the database holds").because(why)
}

impl Keyring {
    /// Seals a secret for one place, with the active key.
    ///
    /// # Errors
    /// LXC0107 when the kernel gives no random bytes.
    pub fn seal(&self, place: Place<'_>, secret: &SecretString) -> Result<String, Error> {
        let internal = || Error::new(Code::Internal, "a secret cannot be encrypted");
        let key = self.active().ok_or_else(internal)?;
        let mut bytes = [0; NONCE_BYTES];
        random(&mut bytes)?;
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: &place.associated_data() };
        let ciphertext = cipher(key).encrypt(&Nonce::from(bytes), payload).map_err(|_| internal())?;
        let mut whole = Vec::from(bytes);
        whole.extend_from_slice(&ciphertext);
        Ok(format!("{VERSION}:{}:{}", key.id, STANDARD.encode(whole)))
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// LXC0511 when its key is not in the ring, or it was changed, cut or moved.
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<SecretString, Error> {
        let (id, encoded) = read(sealed)?;
        let Some(key) = self.find(id) else {
            let ids = self.ids().join(", ");
            return Err(wrong(format!("it is encrypted with the key {id}, and the file has {ids}")));
        };
        let damaged = || wrong(format!("{} of {} is damaged, or was moved there", place.column, place.table));
        let whole = STANDARD.decode(encoded).map_err(|_| damaged())?;
        let (nonce, ciphertext) = whole.split_at_checked(NONCE_BYTES).ok_or_else(damaged)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| damaged())?;
        let payload = Payload { msg: ciphertext, aad: &place.associated_data() };
        let plain = cipher(key).decrypt(&Nonce::from(nonce), payload).map_err(|_| damaged())?;
        match String::from_utf8(plain) {
            Ok(text) => Ok(SecretString::from(text)),
            Err(error) => {
                error.into_bytes().zeroize();
                Err(damaged())
            }
        }
    }

    /// Seals again with the active key; None when it is sealed with that one already.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::seal`].
    pub fn reseal(&self, place: Place<'_>, sealed: &str) -> Result<Option<String>, Error> {
        let (id, _) = read(sealed)?;
        if id == self.active_id() {
            return Ok(None);
        }
        self.seal(place, &self.open(place, sealed)?).map(Some)
    }

    /// What to keep in the database, to recognise the keys by.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub fn check_value(&self) -> Result<String, Error> {
        self.seal(CHECK, &SecretString::from(CHECK_TEXT))
    }

    /// Whether these are the keys a check value was made with.
    ///
    /// # Errors
    /// LXC0511 when they are not.
    pub fn verify(&self, check: &str) -> Result<(), Error> {
        let opened = self.open(CHECK, check)?;
        if opened.expose_secret() == CHECK_TEXT {
            Ok(())
        } else {
            Err(wrong("its check value says otherwise"))
        }
    }
}

/// Key id and the rest.
fn read(sealed: &str) -> Result<(&str, &str), Error> {
    let mut parts = sealed.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(VERSION), Some(id), Some(rest)) => Ok((id, rest)),
        _ => Err(wrong("a secret in it has a form this lxcd does not know")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: Place<'static> = Place { table: "token", row: "7", column: "secret" };

    fn secret(text: &str) -> SecretString {
        SecretString::from(text.to_owned())
    }

    fn code(result: Result<SecretString, Error>) -> Code {
        result.unwrap_err().code
    }

    #[test]
    fn opens_only_at_its_place_with_its_key() {
        let ring = Keyring::generate().unwrap();
        let sealed = ring.seal(PLACE, &secret("hunter2")).unwrap();
        assert_eq!(ring.open(PLACE, &sealed).unwrap().expose_secret(), "hunter2");
        assert!(!sealed.contains("hunter2") && sealed.starts_with(&format!("v1:{}:", ring.active_id())));
        let elsewhere = [
            Place { row: "8", ..PLACE },
            Place { table: "tokens", ..PLACE },
            Place { column: "other", ..PLACE },
            // The same letters, divided differently.
            Place { table: "toke", row: "n7", ..PLACE },
        ];
        for place in elsewhere {
            assert_eq!(code(ring.open(place, &sealed)), Code::WrongKey);
        }
        let other = Keyring::generate().unwrap();
        assert!(other.open(PLACE, &sealed).unwrap_err().to_string().contains(ring.active_id()));
        // Another key under the same id.
        let (_, rest) = sealed.split_at(3 + ring.active_id().len());
        assert_eq!(code(other.open(PLACE, &format!("v1:{}{rest}", other.active_id()))), Code::WrongKey);
        assert_ne!(sealed, ring.seal(PLACE, &secret("hunter2")).unwrap(), "a nonce is used once");
    }

    #[test]
    fn rotates_without_losing_anything() {
        let old = Keyring::generate().unwrap();
        let sealed = old.seal(PLACE, &secret("s")).unwrap();
        let check = old.check_value().unwrap();
        let both = old.rotated().unwrap();
        both.verify(&check).unwrap();
        assert_eq!(both.open(PLACE, &sealed).unwrap().expose_secret(), "s");
        let fresh = both.reseal(PLACE, &sealed).unwrap().unwrap();
        assert_eq!(both.reseal(PLACE, &fresh).unwrap(), None);
        let new = both.without_old();
        assert_eq!(new.open(PLACE, &fresh).unwrap().expose_secret(), "s");
        assert_eq!(code(new.open(PLACE, &sealed)), Code::WrongKey);
        assert_eq!(new.verify(&check).unwrap_err().code, Code::WrongKey);
        new.verify(&both.check_value().unwrap()).unwrap();
    }

    proptest! {
        #[test]
        fn every_secret_survives(text in ".{0,200}", row in ".{0,20}") {
            let ring = Keyring::generate().unwrap();
            let place = Place { row: &row, ..PLACE };
            let sealed = ring.seal(place, &secret(&text)).unwrap();
            let opened = ring.open(place, &sealed).unwrap();
            prop_assert_eq!(opened.expose_secret(), text.as_str());
        }

        #[test]
        fn a_changed_byte_is_noticed(at in 0usize..44, bit in 0u8..8, keep in 0usize..60) {
            let ring = Keyring::generate().unwrap();
            let sealed = ring.seal(PLACE, &secret("sixteen letters!")).unwrap();
            let (head, encoded) = sealed.rsplit_once(':').unwrap();
            let mut bytes = STANDARD.decode(encoded).unwrap();
            bytes[at] ^= 1 << bit;
            let changed = format!("{head}:{}", STANDARD.encode(&bytes));
            prop_assert_eq!(code(ring.open(PLACE, &changed)), Code::WrongKey);
            prop_assert_eq!(code(ring.open(PLACE, &sealed[..keep])), Code::WrongKey);
        }

        #[test]
        fn any_text_is_refused_calmly(text in ".{0,80}") {
            prop_assert_eq!(code(Keyring::generate().unwrap().open(PLACE, &text)), Code::WrongKey);
        }
    }
}
