//! Looking into a container: one job on its node, which ends by itself. Owns what is asked, how much of an answer is
//! taken and what a failure means to a person; judging is core's. Must not log what it reads.

use std::collections::BTreeMap;
use std::time::Duration;

use lxc_core::error::{Code, Error, Result};
use lxc_core::job::{Job, JobExit, JobState, Node};
use lxc_core::ports::JobError;
use lxc_core::provision::{LOOK_TIME, look};
use lxc_core::pve::Power;
use lxc_core::record::Looked;
use lxc_core::services::{Secret, failure, judge, read};

use crate::provision;
use crate::service::listing::Listed;
use crate::service::remotes::ssh_error;
use crate::service::{Services, store_error};

/// More than this is not read: no container has so much to tell.
const MOST: usize = 1 << 20;
/// How long the node is asked to wait for more.
const WAIT: Duration = Duration::from_secs(20);
/// The job ends by itself; this is for a node that does not say so.
const GRACE: Duration = Duration::from_secs(30);

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
        let printed = match self.run(&node, look(row.vmid, reveal, provision::look()?)).await {
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

    /// Runs a job to its end, and has it forgotten on the node; nobody waits for that.
    async fn run(&self, node: &Node, job: Job) -> std::result::Result<Vec<u8>, Failed> {
        let answer = tokio::select! {
            answer = self.ran(node, &job) => answer,
            () = self.clock.sleep(LOOK_TIME + GRACE) => Err(Failed::Inside(JobExit::TimedOut.to_string())),
        };
        let (jobs, node, operation) = (self.jobs.clone(), node.clone(), job.id.operation);
        tokio::spawn(async move {
            if let Err(error) = jobs.forget(&node, operation).await {
                tracing::debug!(%node, %error, "a job that has ended stays on its node");
            }
        });
        answer
    }

    async fn ran(&self, node: &Node, job: &Job) -> std::result::Result<Vec<u8>, Failed> {
        self.jobs.start(node, job).await.map_err(Failed::Node)?;
        let (mut printed, mut offset) = (Vec::new(), 0);
        loop {
            let reading = self.jobs.read(node, job.id, offset, WAIT).await.map_err(Failed::Node)?;
            printed.extend(reading.output);
            offset = reading.next;
            if printed.len() > MOST {
                // What is missing is noticed by whoever reads the rest.
                printed.truncate(MOST);
                let _ = self.jobs.cancel(node, job.id).await;
                return Ok(printed);
            }
            return match reading.state {
                JobState::Running => continue,
                JobState::Ended(JobExit::Code(0)) => Ok(printed),
                JobState::Ended(exit) => Err(Failed::Inside(match failure(&printed) {
                    Some(said) => format!("{said} ({exit})"),
                    None => exit.to_string(),
                })),
                JobState::Lost(why) => Err(Failed::Inside(why)),
                JobState::Absent => Err(Failed::Inside("the node knows nothing of the job".to_owned())),
            };
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
