//! Users, tokens, tickets and privileges of the simulated installation.
//!
//! Owns who a caller is (`identify`) and what they may do (`Access`). Must not know endpoints: those
//! declare the privileges they need.

mod access;
pub mod roles;
mod spec;
mod ticket;

pub use access::{Access, AclEntry, Identity, Token, User};
pub use spec::{SpecError, TokenSpec};
pub use ticket::TICKET_LIFETIME_S;
