//! What needs no daemon: explain, help, completion.

pub(crate) mod completion;
pub(crate) mod explain;
pub(crate) mod help;
pub(crate) mod version;
