//! `remote set --ssh`: how the nodes of a remote are reached over SSH. Owns which host is which node's, the pinning of
//! host keys, which only a person's confirmation does, and the check that somebody gets in and is root there.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::join_all;
use lxc_core::error::{Code, Error, Result};
use lxc_core::job::Node;
use lxc_core::ports::{JobError, RemoteJob as _};
use lxc_core::record::{RemoteRecord, SshHost, SshRecord, SshWay};
use secrecy::SecretString;

use super::words::pve_error;
use crate::pve::{ApiUrl, PveClient};
use crate::service::Services;
use crate::service::access::{Caller, no_remote};
use crate::ssh::{self, HostKeyPin, Jobs};

/// A node's SSH server, and the key it shows against the pinned one.
#[derive(Debug)]
pub struct SshShown {
    /// Whose.
    pub node: String,
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Pinned so far.
    pub old: Option<String>,
    /// Shown now, or why not.
    pub now: std::result::Result<HostKeyPin, JobError>,
}

impl SshShown {
    /// What it is called where pins are listed.
    #[must_use]
    pub fn url(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("ssh://{host}:{}", self.port)
    }
}

/// A new access.
#[derive(Debug)]
pub struct NewSsh {
    /// Who logs in.
    pub user: String,
    /// On which port.
    pub port: u16,
    /// How.
    pub way: SshWay,
    /// Private key or password.
    pub secret: Option<SecretString>,
    /// Where jobs lie on the nodes.
    pub directory: Option<String>,
    /// By node, the host key a person has confirmed.
    pub accepted: BTreeMap<String, String>,
}

impl Services {
    /// The host keys the nodes of a remote show now. Nothing is told to them.
    ///
    /// # Errors
    /// LXC0302 when it is not there; when Proxmox does not say what nodes there are.
    pub async fn probe_ssh(&self, caller: &Caller, name: &str, port: u16) -> Result<Vec<SshShown>> {
        let remote = self.registry.get(name).ok_or_else(|| no_remote(name))?;
        self.access.require(caller, name, "remote set", name, &remote.row.owner)?;
        self.shown_ssh(&remote.row, &remote.client, port).await
    }

    pub(super) async fn shown_ssh(
        &self,
        row: &RemoteRecord,
        client: &PveClient,
        port: u16,
    ) -> Result<Vec<SshShown>> {
        let hosts = hosts(row, client).await?;
        let pinned = |node: &str| {
            let host = row.ssh.as_ref()?.hosts.iter().find(|host| host.node == node)?;
            Some(host.fingerprint.clone())
        };
        Ok(join_all(hosts.into_iter().map(async |(node, host)| {
            let now = ssh::host_key(&host, port).await;
            SshShown { old: pinned(&node), node, host, port, now }
        }))
        .await)
    }

    /// Puts a new access into a row, after somebody got in with it on every node that answers.
    pub(super) async fn take_ssh(
        &self,
        row: &mut RemoteRecord,
        client: &PveClient,
        new: NewSsh,
    ) -> Result<()> {
        check(&new)?;
        let shown = self.shown_ssh(row, client, new.port).await?;
        let mut pinned = Vec::new();
        let mut silent = None;
        for one in shown {
            match &one.now {
                Err(error) => silent = Some((one.node, error.clone())),
                Ok(now) => {
                    let accepted = new.accepted.get(&one.node).or(one.old.as_ref());
                    if accepted.map(String::as_str) != Some(now.as_str()) {
                        let fingerprint = now.to_string();
                        return Err(match accepted {
                            Some(_) => ssh_error(row, &one.node, &JobError::HostKeyChanged { fingerprint }),
                            None => ssh_error(row, &one.node, &JobError::HostKeyUnknown { fingerprint }),
                        });
                    }
                    pinned.push(SshHost { node: one.node, host: one.host, fingerprint: now.to_string() });
                }
            }
        }
        if let (true, Some((node, error))) = (pinned.is_empty(), silent) {
            return Err(ssh_error(row, &node, &error));
        }
        let secret = new.secret.map(|secret| self.registry.seal_ssh(row, &secret)).transpose()?;
        let (user, port, way, directory) = (new.user, new.port, new.way, new.directory);
        row.ssh = Some(SshRecord { user, port, way, secret, directory, hosts: pinned });
        // An agent that is not there has better words of its own.
        row.ssh.as_ref().map(|ssh| self.registry.ssh_auth(row, ssh)).transpose()?;
        for (node, lacks) in self.check_ssh(row, &[]).await {
            let lacks = lacks.map_err(|error| ssh_error(row, &node, &error))?;
            if !lacks.is_empty() {
                return Err(ssh_error(row, &node, &JobError::Failed(lacks.join("; "))));
            }
        }
        Ok(())
    }

    /// What each pinned node lacks, each asked once.
    pub(super) async fn check_ssh(
        &self,
        row: &RemoteRecord,
        programs: &[&str],
    ) -> Vec<(String, std::result::Result<Vec<String>, JobError>)> {
        let hosts = row.ssh.iter().flat_map(|ssh| &ssh.hosts);
        join_all(hosts.map(async |host| {
            let access = self.registry.ssh_access(row, &host.node);
            let jobs = Jobs::new(
                self.clock.clone(),
                Arc::new(move |_| {
                    let access = access.clone();
                    async move { access }.boxed()
                }),
                self.timing.connect,
            );
            let node = Node { installation: row.installation.clone(), name: host.node.clone() };
            (host.node.clone(), jobs.check(&node, programs).await)
        }))
        .await
    }
}

/// Nodes and where they are reached: at a URL of theirs, else at their cluster address, else by their name.
async fn hosts(row: &RemoteRecord, client: &PveClient) -> Result<Vec<(String, String)>> {
    let failed = |error| pve_error(&row.name, &row.token_id, &error);
    let members: Vec<(String, Option<String>)> = match client.cluster_status().await {
        Ok(status) if !status.members.is_empty() => {
            status.members.into_iter().map(|member| (member.name, member.ip)).collect()
        }
        _ => client.nodes().await.map_err(failed)?.into_iter().map(|node| (node.name, None)).collect(),
    };
    let host = |url: &String| url.parse::<ApiUrl>().ok().map(|url| url.host().to_owned());
    let lone = members.len() == 1;
    let found = members.into_iter().map(|(node, ip)| {
        let own =
            row.pins.iter().find(|pin| pin.node.as_deref() == Some(&node) && row.urls.contains(&pin.url));
        let url =
            own.and_then(|pin| host(&pin.url)).or_else(|| row.urls.iter().filter(|_| lone).find_map(host));
        let host = url.or(ip).unwrap_or_else(|| node.clone());
        (node, host)
    });
    Ok(found.collect())
}

fn check(new: &NewSsh) -> Result<()> {
    let bad = |what: String, why: &str| {
        Err(Error::new(Code::BadValue, what).because(why).hint("lxcctl remote set --help"))
    };
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if new.user.is_empty() || new.user.starts_with('-') || !new.user.chars().all(fine) || new.user.len() > 32
    {
        let user: String = new.user.chars().take(40).collect();
        return bad(
            format!("{user:?} is no user of a node"),
            "letters, digits, dots, dashes and underscores",
        );
    }
    if new.directory.as_ref().is_some_and(|directory| !directory.starts_with('/') || directory.contains('\0'))
    {
        return bad("jobs cannot lie there".to_owned(), "it has to be an absolute path on the nodes");
    }
    match (new.way, &new.secret) {
        (SshWay::Key, Some(key)) => ssh::check_key(key).or_else(|why| {
            bad(
                format!("that private key cannot be used: {why}"),
                "lxcd keeps it encrypted; nobody can type a passphrase later",
            )
        }),
        (SshWay::Password, Some(_)) | (SshWay::Agent, None) => Ok(()),
        _ => bad("a key or a password is wanted, and an agent has its own".to_owned(), "one way to log in"),
    }
}

/// A node that was not asked over SSH, as an answer to a person.
pub(in crate::service) fn ssh_error(row: &RemoteRecord, node: &str, error: &JobError) -> Error {
    let name = &row.name;
    match error {
        JobError::NotConnected(why) | JobError::Lost(why) => {
            Error::new(Code::NodeUnreachable, format!("{node} does not answer over SSH"))
                .because(why)
                .hint_noted("systemctl status ssh", "on the node; and is its port open to here?")
        }
        JobError::HostKeyUnknown { .. } => {
            Error::new(Code::HostKeyChanged, format!("the SSH host key of {node} is not pinned"))
                .because(error.to_string())
                .hint_noted(format!("lxcctl remote trust {name} --rotate"), "if it is the node's own")
        }
        JobError::HostKeyChanged { .. } => {
            Error::new(Code::HostKeyChanged, format!("{node} shows another SSH host key than the pinned one"))
                .because(error.to_string())
                .hint_noted(format!("lxcctl remote trust {name} --rotate"), "if it is the node's own")
        }
        JobError::Refused(why) | JobError::Failed(why) | JobError::NoAccess(why) => {
            Error::new(Code::SshRefused, format!("{node} cannot be worked on over SSH"))
                .because(why)
                .hint_noted("journalctl -u ssh", "on the node, says why it refuses")
        }
    }
}
