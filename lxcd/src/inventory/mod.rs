//! What is out there: nodes and containers of every remote, as last seen. Owns the in-memory picture that
//! listings are answered from, its polling and its rows in the store; must not change anything on Proxmox.

mod addresses;
mod fill;
mod findings;
mod merge;
mod poller;
mod round;
mod sample;
mod shared;
#[cfg(test)]
mod tests;
mod unwritten;

pub use poller::{Inventory, Looked};
