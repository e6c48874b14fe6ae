//! What runs in a container, and the secrets that are kept for it.

use lxc_proto::v1 as pb;
use serde::Serialize;

use super::Warning;
use crate::ui::time::Instant;

/// One service.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Service {
    pub kind: &'static str,
    pub target: String,
    pub service: String,
    pub r#type: String,
    pub status: String,
    pub port: Option<u32>,
    pub ports: Vec<u32>,
    pub url: Option<String>,
    pub secrets: u32,
    pub detail: Option<String>,
    pub system: bool,
}

impl Service {
    /// As a container of that target has it.
    #[must_use]
    pub fn of(target: &str, service: pb::Service) -> Self {
        Self {
            kind: "Service",
            target: target.to_owned(),
            service: service.name,
            r#type: service.r#type,
            status: service.status,
            port: service.port,
            ports: service.ports,
            url: service.url,
            secrets: service.secrets,
            detail: Some(service.detail).filter(|detail| !detail.is_empty()),
            system: service.system,
        }
    }
}

/// What runs in one container.
#[derive(Debug, Clone)]
pub struct ServicesFound {
    /// remote/vmid
    pub target: String,
    /// With those of the system.
    pub services: Vec<Service>,
    /// Names that are no service and have secrets all the same.
    pub others: Vec<String>,
    /// When they were looked for.
    pub checked_at: Instant,
    /// What could not be found out.
    pub warnings: Vec<Warning>,
}

impl From<pb::ShowServicesReply> for ServicesFound {
    fn from(reply: pb::ShowServicesReply) -> Self {
        let services = reply.services.into_iter().map(|service| Service::of(&reply.target, service));
        Self {
            services: services.collect(),
            target: reply.target,
            others: reply.others,
            checked_at: Instant(reply.checked_us),
            warnings: reply.warnings.into_iter().map(Warning::from).collect(),
        }
    }
}

/// One secret, with its value: no Debug, so that none is printed by accident.
#[derive(Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the JSON contract and say what they are")]
pub struct Secret {
    pub kind: &'static str,
    pub target: String,
    pub service: String,
    pub key: String,
    pub value: String,
}

/// The secrets of one service.
#[derive(Clone)]
pub struct Revealed {
    /// remote/vmid
    pub target: String,
    /// Whom they were shown to, as the audit has it.
    pub actor: String,
    /// Each of them.
    pub secrets: Vec<Secret>,
}

impl From<pb::RevealReply> for Revealed {
    fn from(reply: pb::RevealReply) -> Self {
        let (target, service) = (&reply.target, &reply.service);
        let secret = |secret: pb::Secret| Secret {
            kind: "Secret",
            target: target.clone(),
            service: service.clone(),
            key: secret.key,
            value: secret.value,
        };
        Self {
            secrets: reply.secrets.into_iter().map(secret).collect(),
            target: reply.target.clone(),
            actor: reply.actor,
        }
    }
}
