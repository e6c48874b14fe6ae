//! `lxc.v1.Remotes`.

use lxc_core::actor::UnknownRole;
use lxc_core::error::{Code, Error};
use lxc_core::record::RemoteRecord;
use lxc_proto::v1::remotes_server::Remotes;
use lxc_proto::v1::{
    AddRemoteReply, AddRemoteRequest, DoctorReply, DoctorRequest, Finding, ListRemotesReply,
    ListRemotesRequest, LoginReply, LoginRequest, LogoutReply, LogoutRequest, ProbeReply, ProbeRequest,
    ProbeSshReply, ProbeSshRequest, RemoteCheck, RemoveRemoteReply, RemoveRemoteRequest, SetRemoteReply,
    SetRemoteRequest, ShareReply, ShareRequest, TestRemoteReply, TestRemoteRequest, TrustItem, TrustReply,
    TrustRequest, Try,
};
use secrecy::SecretString;
use tonic::{Request, Response, Status};

use super::guard::to_the_end;
use super::status::status;
use super::{Api, convert};
use crate::service::access::Caller;
use crate::service::remotes::{Changes, NewRemote};

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl Api {
    fn remote(&self, row: &RemoteRecord) -> lxc_proto::v1::Remote {
        let picture = self.services.inventory.picture();
        let wire = convert::remote(row, picture.get(&row.name).map(|view| &**view));
        let states = self.services.url_states(&row.name).into_iter().map(convert::url_state);
        lxc_proto::v1::Remote { url_states: states.collect(), ..wire }
    }

    /// The same with the caller's own token.
    fn remote_of(&self, row: &RemoteRecord, caller: &Caller) -> lxc_proto::v1::Remote {
        let login = self.services.registry.login_of(&row.installation, &caller.actor);
        lxc_proto::v1::Remote { login: login.map(|login| login.token_id), ..self.remote(row) }
    }
}

#[tonic::async_trait]
impl Remotes for Api {
    async fn probe(&self, request: Request<ProbeRequest>) -> Result<Response<ProbeReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let ca = some(request.ca_pem);
        let (url, certificate) = self
            .services
            .probe(&caller, &request.url, ca.as_deref())
            .await
            .map_err(|error| status(&error))?;
        Ok(Response::new(ProbeReply {
            url: url.to_string(),
            host: url.authority(),
            certificate: Some(convert::certificate(&certificate)),
        }))
    }

    async fn add(&self, request: Request<AddRemoteRequest>) -> Result<Response<AddRemoteReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let new = NewRemote {
            name: request.name,
            urls: request.urls,
            token_id: request.token_id,
            secret: SecretString::from(request.token_secret),
            fingerprints: request.fingerprints,
            ca_pem: some(request.ca_pem),
            make_default: request.make_default,
        };
        let services = self.services.clone();
        let added = to_the_end(async move { services.add_remote(&caller, new).await }).await?;
        Ok(Response::new(AddRemoteReply {
            remote: Some(self.remote(&added.row)),
            learned_nodes: added.learned,
            warnings: added.warnings,
        }))
    }

    async fn list(&self, request: Request<ListRemotesRequest>) -> Result<Response<ListRemotesReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let name = some(request.into_inner().name);
        let rows = self.services.remotes(&caller, name.as_deref()).map_err(|error| status(&error))?;
        let items = rows.iter().map(|row| self.remote_of(row, &caller));
        Ok(Response::new(ListRemotesReply { items: items.collect() }))
    }

    async fn test(&self, request: Request<TestRemoteRequest>) -> Result<Response<TestRemoteReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let name = request.into_inner().name;
        let (row, checks) =
            self.services.test_remote(&caller, &name).await.map_err(|error| status(&error))?;
        Ok(Response::new(TestRemoteReply {
            checks: checks
                .into_iter()
                .map(|check| RemoteCheck {
                    name: check.name.to_owned(),
                    result: if check.error.is_some() { "failed" } else { "ok" }.to_owned(),
                    code: check.error.as_ref().map(|error| error.code.to_string()).unwrap_or_default(),
                    detail: check
                        .error
                        .map_or(check.detail, |error| error.why.first().cloned().unwrap_or(error.message)),
                    latency_ms: u32::try_from(check.took.as_millis()).unwrap_or(u32::MAX),
                })
                .collect(),
            remote: Some(self.remote(&row)),
        }))
    }

    async fn doctor(&self, request: Request<DoctorRequest>) -> Result<Response<DoctorReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let name = request.into_inner().name;
        let (_, diagnosis) = self.services.doctor(&caller, &name).await.map_err(|error| status(&error))?;
        let findings = diagnosis.findings.into_iter().map(|found| Finding {
            name: found.name,
            result: found.result.to_owned(),
            detail: found.detail,
        });
        let hints = diagnosis.hints.into_iter().map(|hint| Try { command: hint.command, note: hint.note });
        Ok(Response::new(DoctorReply {
            findings: findings.collect(),
            errors: diagnosis.errors.iter().map(convert::error).collect(),
            hints: hints.collect(),
        }))
    }

    async fn trust(&self, request: Request<TrustRequest>) -> Result<Response<TrustReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let accept = request.accept.into_iter().collect();
        let services = self.services.clone();
        let (row, items, hosts) =
            to_the_end(async move { services.trust(&caller, &request.name, &accept).await }).await?;
        let items = items
            .into_iter()
            .map(|item| {
                let shown = item.now.as_ref().ok();
                let fingerprint = shown.map(|shown| shown.fingerprint.to_string());
                TrustItem {
                    url: item.url,
                    changed: item.old.is_some() && fingerprint.is_some() && item.old != fingerprint,
                    old_fingerprint: item.old.unwrap_or_default(),
                    certificate: shown.map(convert::certificate),
                    installation_changed: false,
                    error: item.now.as_ref().err().map(ToString::to_string).unwrap_or_default(),
                }
            })
            .chain(hosts.into_iter().map(convert::ssh_trust))
            .collect();
        Ok(Response::new(TrustReply { items, remote: Some(self.remote(&row)) }))
    }

    async fn set(&self, request: Request<SetRemoteRequest>) -> Result<Response<SetRemoteReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let changes = Changes {
            name: request.new_name,
            make_default: request.make_default,
            urls: request.urls,
            token_id: request.token_id,
            secret: request.token_secret.map(SecretString::from),
            fingerprints: request.fingerprints,
            ssh: match request.ssh {
                Some(ssh) => Some(Some(convert::new_ssh(ssh).map_err(|error| status(&error))?)),
                None => request.no_ssh.then_some(None),
            },
        };
        let services = self.services.clone();
        let row =
            to_the_end(async move { services.set_remote(&caller, &request.name, changes).await }).await?;
        Ok(Response::new(SetRemoteReply { remote: Some(self.remote(&row)) }))
    }

    async fn probe_ssh(&self, request: Request<ProbeSshRequest>) -> Result<Response<ProbeSshReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let ProbeSshRequest { name, port } = request.into_inner();
        let port = u16::try_from(port).unwrap_or_default();
        let shown = self.services.probe_ssh(&caller, &name, port).await.map_err(|error| status(&error))?;
        Ok(Response::new(ProbeSshReply { hosts: shown.into_iter().map(convert::ssh_shown).collect() }))
    }

    async fn share(&self, request: Request<ShareRequest>) -> Result<Response<ShareReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let ShareRequest { name, who, domain, role } = request.into_inner();
        let role = role.map(|role| role.parse()).transpose().map_err(|fault: UnknownRole| {
            let error = Error::new(Code::BadValue, fault.to_string());
            status(&error.because("roles are viewer, operator and admin").hint("lxcctl remote share --help"))
        })?;
        let services = self.services.clone();
        let row =
            to_the_end(
                async move { services.share_remote(&caller, &name, &who, domain.as_deref(), role).await },
            )
            .await?;
        Ok(Response::new(ShareReply { remote: Some(self.remote(&row)) }))
    }

    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let LoginRequest { name, token_id, token_secret } = request.into_inner();
        let secret = SecretString::from(token_secret);
        let (services, who) = (self.services.clone(), caller.clone());
        let row = to_the_end(async move { services.login(&who, &name, &token_id, &secret).await }).await?;
        Ok(Response::new(LoginReply { remote: Some(self.remote_of(&row, &caller)) }))
    }

    async fn logout(&self, request: Request<LogoutRequest>) -> Result<Response<LogoutReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let name = request.into_inner().name;
        let services = self.services.clone();
        let row = to_the_end(async move { services.logout(&caller, &name).await }).await?;
        Ok(Response::new(LogoutReply { remote: Some(self.remote(&row)) }))
    }

    async fn remove(
        &self,
        request: Request<RemoveRemoteRequest>,
    ) -> Result<Response<RemoveRemoteReply>, Status> {
        let caller = self.enter(&request, None).await?;
        let request = request.into_inner();
        let services = self.services.clone();
        let (containers, running_operations) =
            to_the_end(async move { services.remove_remote(&caller, &request.name, request.dry_run).await })
                .await?;
        Ok(Response::new(RemoveRemoteReply { containers, running_operations }))
    }
}
