//! What two containers of a remote must not share: a name, or an address in one network. Pure; the pre-flight asks it of
//! what is known, the store once more of what is there when the new one is written.

use std::net::IpAddr;

use super::network::Network;
use super::spec::Spec;
use crate::error::{Code, Error};
use crate::record::ContainerRecord;

/// What another container has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// The name.
    Name,
    /// This address.
    Address(IpAddr),
}

/// What of a container to be made another one has. One that Proxmox no longer has keeps nothing from anybody.
#[must_use]
pub fn clash(spec: &Spec, other: &ContainerRecord) -> Option<Clash> {
    if other.gone_since.is_some() {
        return None;
    }
    if other.name.as_ref() == Some(&spec.name) {
        return Some(Clash::Name);
    }
    let mut fixed = spec.network.fixed().into_iter();
    fixed.find(|address| has(other, *address, &spec.network)).map(Clash::Address)
}

/// The same address behind another bridge, or with another tag, is in another network.
fn has(other: &ContainerRecord, address: IpAddr, network: &Network) -> bool {
    if !other.addresses().iter().any(|ip| ip.parse() == Ok(address)) {
        return false;
    }
    let Some(config) = &other.config else { return true };
    let nets: Vec<_> = config.interfaces().collect();
    // Of an address that its config does not tell nobody knows which interface it is on.
    let told = nets.iter().any(|net| net.ips.contains(&address));
    let here =
        |bridge: Option<&str>, tag: Option<u16>| bridge == Some(&network.bridge) && tag == network.vlan;
    let mut on = nets.iter().filter(|net| !told || net.ips.contains(&address));
    nets.is_empty() || on.any(|net| here(net.bridge, net.tag))
}

impl Clash {
    /// The refusal; `whose` = who has it, as it is typed.
    #[must_use]
    pub fn error(self, name: &str, remote: &str, whose: &str) -> Error {
        match self {
            Self::Name => Error::new(Code::NameTaken, format!("{remote} has a container {name}"))
                .about(whose.to_owned())
                .because(format!("{whose} is called so; two of a name could not be told apart"))
                .hint(format!("lxcctl show {whose}"))
                .hint_noted("{line} --if-needed", "nothing to do is then a success"),
            Self::Address(address) => {
                Error::new(Code::NetworkUnfit, format!("the address {address} is taken"))
                    .because(format!("{whose} has it"))
                    .hint(format!("lxcctl show {whose}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::network::parse_ip;
    use super::super::spec::tests::spec;
    use super::*;
    use crate::ids::Installation;
    use crate::pve::{Config, Live, Power};

    fn other(nets: &[&str], ips: &[&str]) -> ContainerRecord {
        let net = |(n, net): (usize, &&str)| (format!("net{n}"), (*net).to_owned());
        let values: BTreeMap<_, _> = nets.iter().enumerate().map(net).collect();
        ContainerRecord {
            name: Some("db-1".into()),
            config: (!values.is_empty()).then_some(Config { values }),
            ips: ips.iter().map(|ip| (*ip).to_owned()).collect(),
            ..ContainerRecord::seen(&Installation("ab".into()), "pve1", Live::bare(104, Power::Running), 0)
        }
    }

    #[test]
    fn an_address_is_taken_in_its_own_network_only() {
        let mut spec = spec();
        spec.network.ip = parse_ip("10.0.0.5/24").unwrap();
        let address = Some(Clash::Address([10, 0, 0, 5].into()));
        let fixed = "name=eth0,bridge=vmbr0,ip=10.0.0.5/24";
        let dynamic = "name=eth0,bridge=vmbr0,ip=dhcp";
        for (nets, ips, untagged, tagged) in [
            (vec![fixed], vec![], address, None),
            (vec!["name=eth0,bridge=vmbr0,tag=20,ip=10.0.0.5/24"], vec![], None, address),
            (vec!["name=eth0,bridge=vmbr1,ip=10.0.0.5/24"], vec![], None, None),
            (vec!["name=eth0,bridge=vmbr1,ip=10.0.0.5/24", dynamic], vec![], None, None),
            (vec![dynamic], vec!["10.0.0.5"], address, None),
            (vec![dynamic, "name=eth1,bridge=vmbr0,tag=20,ip=dhcp"], vec!["10.0.0.5"], address, address),
            (vec![], vec!["10.0.0.5"], address, address),
            (vec![dynamic], vec!["10.0.0.6"], None, None),
        ] {
            let other = other(&nets, &ips);
            spec.network.vlan = None;
            assert_eq!(clash(&spec, &other), untagged, "{nets:?} {ips:?}");
            spec.network.vlan = Some(20);
            assert_eq!(clash(&spec, &other), tagged, "tagged: {nets:?} {ips:?}");
        }
    }

    #[test]
    fn a_name_is_taken_until_its_container_is_gone() {
        let named = ContainerRecord { name: Some("web-7".into()), ..other(&[], &[]) };
        assert_eq!(clash(&spec(), &named), Some(Clash::Name));
        assert_eq!(clash(&spec(), &ContainerRecord { gone_since: Some(1), ..named }), None);
    }
}
