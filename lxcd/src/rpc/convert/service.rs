//! What runs in a container.

use lxc_core::services::Service;
use lxc_proto::v1;

pub(in crate::rpc) fn service(service: &Service, system: bool) -> v1::Service {
    v1::Service {
        name: service.name.clone(),
        r#type: service.kind.as_str().to_owned(),
        status: service.status.as_str().to_owned(),
        port: service.port.map(u32::from),
        ports: service.ports.iter().copied().map(u32::from).collect(),
        url: service.url.clone(),
        detail: service.detail.clone(),
        secrets: u32::try_from(service.secrets).unwrap_or(u32::MAX),
        system,
    }
}
