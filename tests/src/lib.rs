//! The simulated Proxmox VE of lxcd's tests and demo, and what the cross-process tests share.
//!
//! Owns nothing lxcd itself depends on. `pvesim` speaks the real wire; `harness` runs the programs against it;
//! `shared` finds recorded material.

pub mod harness;
pub mod pvesim;
pub mod shared;
