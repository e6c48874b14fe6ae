//! The daemon itself, those beside it, and who it takes us for.

pub(crate) mod drain;
pub(crate) mod ls;
pub(crate) mod status;
pub(crate) mod whoami;
