//! Identities: installations, containers, operations. Owns their spelling; must not look anything up.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new one; the leading digits are the current time (UUIDv7), so ids sort by age.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The last eight digits: how people see it. (The first ones are a clock and repeat.)
            #[must_use]
            pub fn short(&self) -> String {
                let text = self.0.simple().to_string();
                text[text.len() - 8..].to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id! {
    /// One durable request on one container.
    OperationId
}
uuid_id! {
    /// What a person asked for in one command: a batch of operations.
    RequestId
}
uuid_id! {
    /// One incarnation of a container; a reused vmid gets a new one.
    ContainerId
}
uuid_id! {
    /// One run of one lxcd process.
    DaemonId
}

/// One Proxmox installation: SHA-256 of its root CA, lower-case hex (docs/proxmox.md, Identity).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Installation(pub String);

impl fmt::Display for Installation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A container's number inside one installation: 100 to 999 999 999 (pve-container, `pve-vmid`).
pub type Vmid = u32;

/// Microseconds since the epoch, UTC.
pub type Micros = i64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_is_the_last_eight_digits() {
        let id: OperationId = "01a1fe6a-2384-7b31-9c44-a1d24f9c2e1b".parse().unwrap();
        assert_eq!(id.short(), "4f9c2e1b");
    }
}
