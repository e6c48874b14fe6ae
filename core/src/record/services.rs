//! What lxcd has found inside a container, as it is kept. Never holds the value of a secret.

use std::net::IpAddr;

use crate::ids::Micros;
use crate::services::Services;

/// The last look into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// What runs in it.
    pub services: Services,
    /// Its addresses by its own account, the primary one first.
    pub addresses: Vec<IpAddr>,
    /// When.
    pub checked: Micros,
}

/// What is known of the inside of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServicesRecord {
    /// None = it was never looked into.
    pub looked: Option<Looked>,
    /// A look after that one failed: why, and when.
    pub trouble: Option<(String, Micros)>,
}
