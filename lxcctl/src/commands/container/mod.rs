//! Looking at containers and nodes.

pub(crate) mod ls;
mod ls_columns;
pub(crate) mod node;
mod screen;
pub(crate) mod show;
pub(crate) mod summary;
pub(crate) mod unlock;
mod watch;
