//! Properties of the engine's decisions: `plan` and `apply` for whatever they are given, `adopt` for whatever
//! is listed, and whole operations against a small model of Proxmox in which everything goes wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod adoption;
mod arbitrary;
mod decisions;
mod downloading;
mod drive;
mod elsewhere;
mod working;
mod world;
