//! The operation engine, proved: lxcd as a library on a runtime of its own, against a simulated Proxmox,
//! crashed at every place that matters. What Proxmox was made to do is read from the simulator's ledger.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod bare;
#[expect(dead_code, reason = "chaos uses the rest of it")]
mod client;
mod creating;
mod downloading;
mod fake;
mod faults;
mod fence;
mod hints;
mod hours;
mod kill;
mod lab;
mod lost;
mod matrix;
mod moved;
mod others;
mod outages;
mod recovered;
