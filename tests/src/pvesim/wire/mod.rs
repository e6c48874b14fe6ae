//! The wire: TLS, HTTP/1.1 the way Proxmox's own server speaks it, and what faults do to a connection.
//!
//! Owns bytes. Written by hand because the server it imitates is: reason phrases of any bytes, answers
//! without Content-Length, connections that are dropped on purpose. Must not know an endpoint.

pub mod http;
pub mod serve;
pub mod tls;
