//! Looking into a container: one command on its node, which leaves nothing there. Owns what is asked and what a failure
//! means to a person; judging is core's. Must not log what it reads.

use std::collections::BTreeMap;

use lxc_core::error::{Code, Error, Result};
use lxc_core::job::{Command, JobExit, Node};
use lxc_core::ports::JobError;
use lxc_core::provision::look;
use lxc_core::pve::Power;
use lxc_core::record::Looked;
use lxc_core::services::{Secret, failure, judge, read};

use crate::provision;
use crate::service::listing::Listed;
use crate::service::remotes::ssh_error;
use crate::service::{Services, store_error};

/// How a look went wrong.
enum Failed {
    Node(JobError),
    /// In words of the container's.
    Inside(String),
}

impl Services {
    /// Looks into a container, keeps what was found, and answers with it: services, and the secrets that are kept for
    /// them, those of `reveal` with their values.
    ///
    /// # Errors
    /// LXC0502, LXC0523, LXC0117; or why its node cannot be reached.
    pub(crate) async fn look_into(
        &self,
        item: &Listed,
        reveal: Option<&str>,
    ) -> Result<(Looked, BTreeMap<String, Vec<Secret>>)> {
        let row = &item.entry.row;
        let (target, label) = (item.target(), label(item));
        if item.power == Some(Power::Stopped) {
            return Err(Error::new(Code::NotRunning, format!("{label} is not running"))
                .about(&target)
                .because("what runs inside is asked of the container itself")
                .hint(format!("lxcctl start {target}")));
        }
        let node = Node { installation: row.installation.clone(), name: row.node.clone() };
        let printed = match self.ran(&node, &look(row.vmid, reveal, provision::look()?)).await {
            Ok(printed) => printed,
            Err(failed) => {
                let error = self.told(item, &label, failed);
                let why = error.why.first().unwrap_or(&error.message);
                self.store.write_no_services(row.id, why, self.now()).await.map_err(store_error)?;
                return Err(error);
            }
        };
        let found = read(&printed);
        let looked =
            Looked { services: judge(&found), addresses: found.addresses.clone(), checked: self.now() };
        let shown = self
            .store
            .write_services(&row.installation, row.id, &looked.services, &looked.addresses, looked.checked)
            .await
            .map_err(store_error)?;
        if shown {
            self.bus.container_moved(&row.installation, row.vmid);
        }
        Ok((looked, found.secrets))
    }

    /// What it says.
    async fn ran(&self, node: &Node, command: &Command) -> std::result::Result<Vec<u8>, Failed> {
        let ran = self.jobs.run(node, command).await.map_err(Failed::Node)?;
        match ran.exit {
            JobExit::Code(0) => Ok(ran.output),
            exit => Err(Failed::Inside(match failure(&ran.output) {
                Some(said) => format!("{said} ({exit})"),
                None => exit.to_string(),
            })),
        }
    }

    fn told(&self, item: &Listed, label: &str, failed: Failed) -> Error {
        let (target, node) = (item.target(), &item.entry.row.node);
        match failed {
            Failed::Inside(why) => {
                Error::new(Code::LookFailed, format!("{label} does not tell what runs in it"))
                    .because(why)
                    .hint(format!("lxcctl services {target} --refresh"))
            }
            Failed::Node(JobError::NoAccess(why)) => {
                Error::new(Code::NoSsh, format!("{node} cannot be reached by SSH"))
                    .because(why)
                    .hint(format!("lxcctl remote set {} --ssh root --ssh-key ~/.ssh/id_ed25519", item.remote))
            }
            Failed::Node(error) => match self.registry.get(&item.remote) {
                Some(remote) => ssh_error(&remote.row, node, &error),
                None => super::super::access::no_remote(&item.remote),
            },
        }
        .about(&target)
    }
}

/// `homelab/104 (web-1)`
fn label(item: &Listed) -> String {
    match &item.entry.row.name {
        Some(name) => format!("{} ({name})", item.target()),
        None => item.target(),
    }
}
