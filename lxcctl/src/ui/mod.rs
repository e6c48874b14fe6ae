//! How lxcctl speaks: pure functions from data and terminal properties to lines, and the one
//! Printer that writes them. Must not talk to the daemon.

pub mod error;
pub mod escape;
pub mod json;
mod keys;
pub mod phases;
pub mod printer;
pub mod progress;
pub mod rows;
pub mod style;
pub mod table;
mod terminal;
pub mod time;
pub mod words;
