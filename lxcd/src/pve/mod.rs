//! Proxmox VE over HTTPS: trust, tokens, requests, answers. Owns every byte that goes to or comes from
//! the API and hands out core's types only; must not decide what an answer means for an operation
//! (core), keep anything (store), or know about remotes by name (app).
//!
//! From the outside in: [`ApiUrl`] and [`probe`] before anything is trusted, [`Endpoint`] and
//! [`Token`] to describe a remote, [`PveClient`] to talk to it.

mod access;
mod answer;
mod auth;
mod certificates;
mod client;
mod coalesce;
mod exchange;
mod guest;
mod limits;
mod lxc;
mod metrics;
mod nodes;
mod options;
mod probe;
mod scalar;
mod session;
mod site;
mod tasks;
#[cfg(test)]
mod tests;
mod tls;
mod transport;
mod url;
mod way;

pub use access::TokenFacts;
pub use answer::Rows;
pub use auth::Token;
pub use certificates::NodeCertificates;
pub use client::{Endpoint, PveClient, Reach};
pub use limits::Share;
pub use metrics::{Class, Counters, Outcome};
pub use options::Options;
pub use probe::probe;
pub use session::Credentials;
pub use tls::{CaBundle, Trust};
pub use url::ApiUrl;

/// Reads an answer as everything an answer is read as, and drops what comes of it.
pub(crate) fn read_every_way(status: u16, reason: &str, body: &[u8]) {
    let answer = answer::Answer { from: "h:1", status, reason, body };
    drop((lxc::current(answer, 104), lxc::list(answer), lxc::config(answer), lxc::interfaces(answer)));
    drop((tasks::entries(answer), tasks::status(answer), tasks::log(answer, 0), tasks::started(answer)));
    drop((nodes::version(answer), nodes::nodes(answer), nodes::cluster(answer), nodes::resources(answer)));
    drop((nodes::placement(answer, 104), nodes::node_status(answer), nodes::permissions(answer)));
    drop(site::storages(answer));
}
