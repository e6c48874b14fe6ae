//! `services`: what runs in a container. Owns who may see what of it, and when what is known is good enough; the looking
//! is `look`'s. The values of secrets are passed on to whoever may see them, and kept nowhere.

mod look;
mod reach;

use lxc_core::error::{Code, Error, Result};
use lxc_core::ports::{Identity, PveApi};
use lxc_core::pve::Power;
use lxc_core::record::Looked;
use lxc_core::selector::Selection;
use lxc_core::services::{Problem, Secret};

use super::access::{Caller, no_remote};
use super::listing::{Listed, Warning, no_container};
use super::operations::done;
use super::remotes::fault;
use super::{Services, store_error};

/// What runs in a container.
#[derive(Debug)]
pub struct ServicesShown {
    /// The container.
    pub item: Listed,
    /// What was found, and when.
    pub looked: Looked,
    /// Parts that could not be had, and why this may be old.
    pub warnings: Vec<Warning>,
}

/// The secrets of a service.
#[derive(Debug)]
pub struct Revealed {
    /// The container.
    pub item: Listed,
    /// With their values.
    pub secrets: Vec<Secret>,
}

impl Services {
    /// What runs in one container: as it was found last, else as it is found now, which `refresh` asks for in any case.
    ///
    /// # Errors
    /// As resolving one target; LXC0502 for one that has to be looked into and does not run, LXC0523 without a way to
    /// its node, LXC0117 when it does not tell.
    pub async fn services(
        &self,
        caller: &Caller,
        selection: &Selection,
        refresh: bool,
    ) -> Result<ServicesShown> {
        let item = self.one(caller, selection, "services").await?;
        let known = self.store.services(item.entry.row.id).await.map_err(store_error)?;
        let mut warnings = Vec::new();
        let looked = match known.looked {
            Some(looked) if !refresh => {
                warnings.extend(known.trouble.map(|(why, since)| {
                    let message = format!("{} could not be looked into since: {why}", item.target());
                    Warning { since: Some(since), ..warning(&item, Code::LookFailed, message) }
                }));
                if item.power == Some(Power::Stopped) {
                    let message = format!("{} is stopped: this is from when it ran", item.target());
                    warnings.push(warning(&item, Code::NotRunning, message));
                }
                looked
            }
            _ => {
                // Where Proxmox cannot be asked, what the container says is still better than nothing.
                if let Err(error) = self.still_the_same(&item).await
                    && error.code == Code::Replaced
                {
                    return Err(error);
                }
                self.look_into(&item, None).await?.0
            }
        };
        let problems = looked.services.problems.iter();
        warnings.extend(
            problems.map(|problem| {
                warning(&item, Code::LookFailed, format!("{}: {}", problem.part, problem.why))
            }),
        );
        Ok(ServicesShown { item, looked, warnings })
    }

    /// The secrets that are kept in a container for one of its services, read now. Noted in the audit before anybody
    /// sees them.
    ///
    /// # Errors
    /// LXC0601 for all but admins, LXC0309 when none are kept; else as [`Self::services`].
    pub async fn reveal(&self, caller: &Caller, selection: &Selection, service: &str) -> Result<Revealed> {
        let item = self.one(caller, selection, "services").await?;
        let target = item.target();
        let owner =
            self.registry.get(&item.remote).map(|remote| remote.row.owner.clone()).unwrap_or_default();
        let what = format!("{target} {service}");
        self.access.require(caller, &item.remote, "reveal", &what, &owner)?;
        self.still_the_same(&item).await?;
        let (looked, mut found) = self.look_into(&item, Some(service)).await?;
        let Some(secrets) = found.remove(service) else {
            // Who could not look cannot say that there are none.
            let blind = |problem: &&Problem| matches!(problem.part.as_str(), "credentials" | "discovery");
            if let Some(problem) = looked.services.problems.iter().find(blind) {
                return Err(Error::new(Code::LookFailed, format!("{target} does not tell its secrets"))
                    .about(&target)
                    .because(problem.why.clone())
                    .hint(format!("lxcctl services {target} --refresh")));
            }
            let known: Vec<String> = found.into_keys().collect();
            let error = Error::new(Code::NoService, format!("{target} keeps no secrets of {service}"));
            let error = match &known[..] {
                [] => error.because("it keeps none at all"),
                known => error.because(format!("it keeps some of {}", known.join(", "))),
            };
            return Err(error.about(&target).hint("lxcctl services {target}"));
        };
        let audit = done(&caller.actor, "reveal", target, self.now(), service.to_owned(), None);
        self.store.audit(&audit).await.map_err(store_error)?;
        Ok(Revealed { item, secrets })
    }

    /// Whether its number is still that of the container that is meant; the picture may be a minute old.
    async fn still_the_same(&self, item: &Listed) -> Result<()> {
        let row = &item.entry.row;
        let remote = self.registry.get(&item.remote).ok_or_else(|| no_remote(&item.remote))?;
        let config = remote.client.config(&row.node, row.vmid).await;
        let config = config.map_err(|error| fault(&remote, &error))?;
        let known = Identity { hwaddrs: row.hwaddrs.clone(), marker: row.marker.clone() };
        if known.matches(&config) {
            return Ok(());
        }
        let target = item.target();
        Err(Error::new(Code::Replaced, format!("{target} was replaced"))
            .about(&target)
            .because(format!(
                "vmid {} now belongs to another container than the one that was meant",
                row.vmid
            ))
            .hint(format!("lxcctl show {target}")))
    }

    async fn one(&self, caller: &Caller, selection: &Selection, verb: &str) -> Result<Listed> {
        let mut found = self.resolve(caller, selection, verb, 1).await?;
        found.refs.pop().map(|(item, _)| item).ok_or_else(|| no_container(&selection.describe()))
    }
}

fn warning(item: &Listed, code: Code, message: String) -> Warning {
    Warning { code, message, target: item.target(), since: None, unknown: 0 }
}
