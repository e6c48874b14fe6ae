//! The commands, by noun. Each asks the client, hands plain data to `ui` and says how it ended. Must
//! not write to a stream by itself, nor touch the wire.

pub(crate) mod bucket;
pub(crate) mod container;
pub(crate) mod create;
pub(crate) mod daemon;
pub(crate) mod deletion;
pub(crate) mod journal;
pub(crate) mod local;
pub(crate) mod op;
pub(crate) mod remote;
pub(crate) mod services;
pub(crate) mod template;
pub(crate) mod verb;

mod columns;
mod editing;
mod warnings;
