//! The daemon itself, and who it takes us for.

pub(crate) mod status;
pub(crate) mod whoami;
