//! Domain and decisions of lxcd: what an operation is, what comes next, what an answer of Proxmox
//! means, what a selector picks. Must not do I/O: no sockets, files, databases or clocks; whatever
//! is needed from outside comes in as an argument or through [`ports`].

pub mod actor;
pub mod address;
pub mod create;
pub mod error;
pub mod ids;
pub mod job;
pub mod monitor;
pub mod op;
pub mod picture;
pub mod ports;
pub mod privileges;
pub mod provision;
pub mod pve;
pub mod record;
pub mod selector;
pub mod services;
pub mod template;
pub mod text;
pub mod timing;
pub mod wake;
