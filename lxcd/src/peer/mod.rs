//! Who is on the other end of the socket, and what they may do. Owns the look-ups behind an [`Actor`]
//! and the one decision on roles; must not refuse anything itself (rpc's guard does).
//!
//! [`Actor`]: lxc_core::actor::Actor

mod access;
mod accounts;
mod identify;
mod process;

pub use crate::config::Who;
pub use access::{Access, Granted, RemoteAccess};
pub use accounts::{Account, Accounts, System};
pub use identify::{Credentials, Peers};
