//! What happened and who asked for it: events and the audit.

pub(crate) mod audit;
pub(crate) mod events;
