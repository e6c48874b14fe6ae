//! What the cross-process tests share: the real `lxcd` and `lxcctl` against a simulated Proxmox in this
//! process.
//!
//! Owns starting, stopping and waiting; must not know what is right, which is for the tests to say. It
//! panics where a test cannot go on, with everything that helps to see why.

pub mod binary;
pub mod certificates;
pub mod cluster;
pub mod daemon;
mod follower;
pub mod node;
pub mod postgres;
pub mod proxy;
pub mod redis;
pub mod run;
pub mod site;
pub mod ssh;
pub mod terminal;
pub mod wait;
pub mod world;

pub use certificates::Ca;
pub use cluster::{Cluster, Place};
pub use daemon::{Daemon, SCALE};
pub use node::{Network, Node, Tree};
pub use postgres::Postgres;
pub use proxy::{Proxy, Wire};
pub use redis::RedisServer;
pub use run::{Cli, Run, Running};
pub use site::{Site, template};
pub use ssh::{SshServer, SshSetup};
pub use terminal::Terminal;
pub use wait::until;
pub use world::{SECRET, Setup, TOKEN, World, ct, running};
