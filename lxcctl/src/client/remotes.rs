//! Calls about remotes. Secrets pass through here and are kept nowhere.

use std::collections::HashMap;

use lxc_core::error::{Code, Error, Result, Try};
use lxc_proto::v1 as pb;
use pb::remotes_client::RemotesClient;

use super::Client;
use super::status::error_from_wire;
use super::view::{Certificate, Finding, Remote, RemoteCheck, SshShown, TrustItem};

/// What a URL shows to somebody who has sent nothing yet.
pub struct Probed {
    /// The URL as lxcd will use it.
    pub url: String,
    /// Host and port.
    pub host: String,
    /// Its certificate.
    pub certificate: Certificate,
}

/// A remote to be.
#[derive(Default)]
#[expect(missing_docs, reason = "the names say what they are")]
pub struct NewRemote {
    pub name: String,
    pub urls: Vec<String>,
    pub token_id: String,
    pub token_secret: String,
    pub fingerprints: Vec<String>,
    pub ca_pem: String,
    pub make_default: bool,
}

/// What `remote set` changes.
#[derive(Default)]
#[expect(missing_docs, reason = "the names say what they are")]
pub struct RemoteChange {
    pub name: String,
    pub new_name: Option<String>,
    pub make_default: Option<bool>,
    pub urls: Vec<String>,
    pub token_id: Option<String>,
    pub token_secret: Option<String>,
    pub fingerprints: Vec<String>,
    pub ssh: Option<SshChange>,
    pub no_ssh: bool,
}

/// An SSH access to be.
#[expect(missing_docs, reason = "the names say what they are")]
pub struct SshChange {
    pub user: String,
    pub port: u16,
    pub way: String,
    pub secret: Option<String>,
    pub directory: Option<String>,
    /// By node.
    pub fingerprints: HashMap<String, String>,
}

/// What `remote doctor` found.
pub struct Diagnosis {
    /// Line by line.
    pub findings: Vec<Finding>,
    /// What keeps something from working.
    pub errors: Vec<Error>,
    /// What would be better.
    pub hints: Vec<Try>,
}

/// Pins against what is shown now.
pub struct Trusted {
    /// One per URL.
    pub items: Vec<TrustItem>,
}

impl Client {
    fn remotes_client(&self) -> RemotesClient<tonic::transport::Channel> {
        RemotesClient::new(self.channel.clone())
    }

    /// Looks at the certificate a URL shows.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn probe(&self, url: &str, ca_pem: &str) -> Result<Probed> {
        let message = pb::ProbeRequest { url: url.to_owned(), ca_pem: ca_pem.to_owned() };
        let answer = self.remotes_client().probe(Self::unary(message)).await;
        let reply = self.settle(answer).await?;
        let certificate =
            reply.certificate.map(Certificate::from).ok_or_else(|| incomplete("certificate"))?;
        Ok(Probed { url: reply.url, host: reply.host, certificate })
    }

    /// Adds a remote: the remote, the nodes learned with it, warnings.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn add_remote(&self, new: NewRemote) -> Result<(Remote, Vec<String>, Vec<String>)> {
        let message = pb::AddRemoteRequest {
            name: new.name,
            urls: new.urls,
            token_id: new.token_id,
            token_secret: new.token_secret,
            fingerprints: new.fingerprints,
            ca_pem: new.ca_pem,
            make_default: new.make_default,
        };
        let answer = self.remotes_client().add(Self::unary(message)).await;
        let reply = self.settle(answer).await?;
        Ok((remote(reply.remote)?, reply.learned_nodes, reply.warnings))
    }

    /// One remote or all.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn remotes(&self, name: &str) -> Result<Vec<Remote>> {
        let message = pb::ListRemotesRequest { name: name.to_owned() };
        let answer = self.remotes_client().list(Self::unary(message)).await;
        Ok(self.settle(answer).await?.items.into_iter().map(Remote::from).collect())
    }

    /// Asks every URL of a remote.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn test_remote(&self, name: &str) -> Result<Vec<RemoteCheck>> {
        let message = pb::TestRemoteRequest { name: name.to_owned() };
        let answer = self.remotes_client().test(Self::unary(message)).await;
        Ok(self.settle(answer).await?.checks.into_iter().map(RemoteCheck::from).collect())
    }

    /// Looks at everything about a remote that can be wrong.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn doctor(&self, name: &str) -> Result<Diagnosis> {
        let message = pb::DoctorRequest { name: name.to_owned() };
        let answer = self.remotes_client().doctor(Self::unary(message)).await;
        let reply = self.settle(answer).await?;
        let hints = reply.hints.into_iter().map(|hint| Try { command: hint.command, note: hint.note });
        Ok(Diagnosis {
            findings: reply.findings.into_iter().map(Finding::from).collect(),
            errors: reply.errors.into_iter().map(error_from_wire).collect(),
            hints: hints.collect(),
        })
    }

    /// Compares certificates with pins; accepted ones replace them.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn trust(&self, name: &str, accept: HashMap<String, String>) -> Result<Trusted> {
        let message = pb::TrustRequest { name: name.to_owned(), accept };
        let answer = self.remotes_client().trust(Self::unary(message)).await;
        let reply = self.settle(answer).await?;
        Ok(Trusted { items: reply.items.into_iter().map(TrustItem::from).collect() })
    }

    /// Changes a remote.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn set_remote(&self, change: RemoteChange) -> Result<Remote> {
        let message = pb::SetRemoteRequest {
            name: change.name,
            new_name: change.new_name,
            make_default: change.make_default,
            urls: change.urls,
            token_id: change.token_id,
            token_secret: change.token_secret,
            fingerprints: change.fingerprints,
            ssh: change.ssh.map(|ssh| pb::SetSsh {
                user: ssh.user,
                port: u32::from(ssh.port),
                way: ssh.way,
                secret: ssh.secret,
                directory: ssh.directory,
                fingerprints: ssh.fingerprints,
            }),
            no_ssh: change.no_ssh,
        };
        let answer = self.remotes_client().set(Self::unary(message)).await;
        remote(self.settle(answer).await?.remote)
    }

    /// The SSH host keys that a remote's nodes show.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn probe_ssh(&self, name: &str, port: u16) -> Result<Vec<SshShown>> {
        let message = pb::ProbeSshRequest { name: name.to_owned(), port: u32::from(port) };
        let answer = self.remotes_client().probe_ssh(Self::unary(message)).await;
        Ok(self.settle(answer).await?.hosts.into_iter().map(SshShown::from).collect())
    }

    /// Uses a token of the caller's own from now on.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn login(&self, name: &str, token_id: &str, token_secret: String) -> Result<Remote> {
        let message = pb::LoginRequest { name: name.to_owned(), token_id: token_id.to_owned(), token_secret };
        let answer = self.remotes_client().login(Self::unary(message)).await;
        remote(self.settle(answer).await?.remote)
    }

    /// Goes back to the remote's own token.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn logout(&self, name: &str) -> Result<Remote> {
        let message = pb::LogoutRequest { name: name.to_owned() };
        let answer = self.remotes_client().logout(Self::unary(message)).await;
        remote(self.settle(answer).await?.remote)
    }

    /// Shares a remote, or with no role no longer.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn share_remote(
        &self,
        name: &str,
        who: &str,
        domain: Option<&str>,
        role: Option<&str>,
    ) -> Result<Remote> {
        let message = pb::ShareRequest {
            name: name.to_owned(),
            who: who.to_owned(),
            domain: domain.map(str::to_owned),
            role: role.map(str::to_owned),
        };
        let answer = self.remotes_client().share(Self::unary(message)).await;
        remote(self.settle(answer).await?.remote)
    }

    /// Removes a remote, or only counts its containers and running operations.
    ///
    /// # Errors
    /// What the daemon says, or that it does not answer.
    pub async fn remove_remote(&self, name: &str, dry_run: bool) -> Result<(u32, u32)> {
        let message = pb::RemoveRemoteRequest { name: name.to_owned(), dry_run };
        let answer = self.remotes_client().remove(Self::unary(message)).await;
        let reply = self.settle(answer).await?;
        Ok((reply.containers, reply.running_operations))
    }
}

fn remote(wire: Option<pb::Remote>) -> Result<Remote> {
    wire.map(Remote::from).ok_or_else(|| incomplete("remote"))
}

fn incomplete(what: &str) -> Error {
    Error::new(Code::Internal, format!("lxcd's answer has no {what}")).hint("lxcctl daemon status")
}
