//! SSH to nodes: connections, commands, and the jobs that run there detached from them.
//!
//! Owns the only SSH client, the host key check and the protocol of jobs, whose other half is in `scripts/`. Must not
//! know containers, operations or where an access comes from; there is no way to skip the host key check, and none
//! must be added.

mod access;
mod exec;
mod frame;
mod helper;
mod job;
mod pool;
mod prompt;
mod session;

pub use access::{Access, AccessOf, Auth, HostKeyPin};
pub use job::Jobs;
pub use session::{check_key, host_key};
