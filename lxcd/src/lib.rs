//! lxcd: the daemon. The only crate that opens a socket to a database, Proxmox or SSH. `app` wires
//! the parts together; every other module sees only what ARCHITECTURE.md lets it see.

pub mod bus;
pub mod clock;
pub mod config;
pub mod engine;
pub mod failpoint;
pub mod keyring;
pub mod peer;
pub mod pve;
pub mod store;
