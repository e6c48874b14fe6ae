//! A simulated Proxmox VE that speaks the real wire.
//!
//! `Sim::start` runs one in this process, the binary `pvesim` runs one by itself. `model` is the pure core,
//! `api` answers requests from it, `wire` carries them, `schema` says which parameters exist, `fault` breaks
//! things on demand and `control` lets a test in another process do what `Sim`'s methods do.

pub mod api;
pub mod auth;
pub mod clock;
pub mod control;
#[cfg(test)]
mod e2e;
pub mod fault;
pub mod model;
pub mod noise;
#[cfg(test)]
mod replay;
pub mod reply;
pub mod schema;
mod sim;
pub mod wire;

pub use control::{Control, ControlError, CtChange, CtView};
pub use model::population::CtSpec;
pub use sim::{NodeInfo, Ready, Sim, SimConfig, SimError};
