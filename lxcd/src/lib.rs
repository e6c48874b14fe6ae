//! lxcd: the daemon. The only crate that opens a socket to a database, Proxmox or SSH. [`app`] wires
//! the parts together; every other module sees only what ARCHITECTURE.md lets it see.

pub mod app;
pub mod bus;
pub mod cli;
pub mod clock;
pub mod config;
pub mod edges;
pub mod engine;
pub mod failpoint;
pub mod heartbeat;
pub mod inventory;
pub mod janitor;
pub mod keyring;
pub mod maintenance;
pub mod metrics;
pub mod monitor;
pub mod others;
pub mod peer;
pub mod provision;
pub mod pve;
pub mod rpc;
pub mod service;
pub mod socket;
pub mod ssh;
pub mod standing;
pub mod state_dir;
pub mod store;
