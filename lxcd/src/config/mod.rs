//! The configuration: one TOML file that may be missing, and what holds without it. Owns keys,
//! defaults, ranges and the errors about them; must not open sockets, databases or the key file.

mod environment;
mod reader;
mod roles;
mod schema;
mod sections;
#[cfg(test)]
mod tests;

pub use environment::Environment;
pub use roles::{Roles, Who};
pub use schema::{Config, Log, LogFormat, LogLevel, Poll, Retention};
