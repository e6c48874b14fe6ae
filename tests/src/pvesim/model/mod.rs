//! The model of an installation: nodes, containers, tasks, locks, HA. Pure and deterministic.
//!
//! Owns all state and every rule about it. Time is handed in (`World::advance`), nothing here waits, reads
//! a socket or renders JSON. The same seed and the same calls at the same times give the same world.

pub mod config;
pub mod container;
mod create;
mod destroy;
mod download;
mod event;
mod fence;
pub mod ha;
pub mod ledger;
mod lock;
mod migrate;
pub mod node;
pub mod population;
mod power;
pub mod task;
mod usage;
mod work;
mod worker;
mod world;

#[cfg(test)]
mod ha_tests;
#[cfg(test)]
mod tests;

pub use container::{Container, Ha, Vmid};
pub use create::{CreateRequest, rootfs_size};
pub use event::Event;
pub use ledger::{Counters, Entry, Ledger, Record};
pub use lock::PATIENCE_MS;
pub use node::{Node, Storage};
pub use task::{Task, TaskId};
pub use usage::Usage;
pub use work::Work;
pub use world::{World, WorldConfig};
