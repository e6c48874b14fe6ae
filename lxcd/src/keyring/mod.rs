//! The keys behind every secret in the database: AES-256-GCM, each ciphertext naming its key and bound
//! to its table, row and column. Owns the key file and the sealed form; must not know the database: it
//! is handed strings and hands back strings.
//!
//! Start-up: [`KeyFile::open`] with the check value the database holds. Rotation: write
//! [`Keyring::rotated`], [`Keyring::reseal`] every column, store a new [`Keyring::check_value`], then
//! write [`Keyring::without_old`]. Stopping anywhere in between leaves everything readable.

mod file;
mod key;
mod seal;

pub use file::KeyFile;
pub use key::Keyring;
pub use seal::Place;
