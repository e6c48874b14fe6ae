//! What reads bytes from outside, without the connections they come over: for the fuzz targets and the tests that
//! do the same in small. Must do nothing with what it reads.

/// Reads an answer of Proxmox in every way one is read.
pub fn pve_answer(status: u16, reason: &str, body: &[u8]) {
    crate::pve::read_every_way(status, reason, body);
}

/// Reads a message of a client as every request that has something to be read.
pub fn grpc_message(message: &[u8]) {
    crate::rpc::read_every_way(message);
}
