//! The one way an operation is written by its owner: state, steps, events and, at its end, everything
//! that goes with that, in one fenced transaction (ARCHITECTURE.md, rules 5 and 14).

use std::collections::HashSet;
use std::net::IpAddr;

use async_trait::async_trait;
use lxc_core::ids::{ContainerId, DaemonId, Installation, Micros, OperationId, Vmid};
use lxc_core::op::{Ending, EventDraft, EventKind, Operation, Word};
use lxc_core::ports::{Claims, Committed, Identity, Now, OpStore, StoreError};
use lxc_core::pve::Upid;
use lxc_core::record::AuditRecord;
use lxc_core::services::Services;

use super::audit;
use super::event::{Drafted, insert_events};
use super::operation::load;
use super::row::flag;
use super::{Result, Store, fail, get, get_json, json, poller};

#[async_trait]
impl OpStore for Store {
    async fn claim(&self, me: DaemonId, now: Now) -> Result<Claims, StoreError> {
        self.claim_pass(me, now).await
    }

    async fn commit(
        &self,
        op: &Operation,
        events: &[EventDraft],
        now: Micros,
    ) -> Result<Committed, StoreError> {
        self.commit_in_group(op, events, now).await
    }

    async fn work_input(&self, op: &Operation, step: usize) -> Result<Option<Vec<u8>>, StoreError> {
        self.input(op.id, step).await
    }

    async fn hold_vmid(&self, op: &Operation, vmid: Vmid, now: Micros) -> Result<bool, StoreError> {
        self.hold(op, vmid, now).await
    }

    async fn record_services(
        &self,
        installation: &Installation,
        id: ContainerId,
        services: &Services,
        addresses: &[IpAddr],
        now: Micros,
    ) -> Result<bool, StoreError> {
        self.write_services(installation, id, services, addresses, now).await
    }

    async fn wishes(&self, id: OperationId) -> Result<(bool, bool), StoreError> {
        let row = sqlx::query("SELECT cancel, abandon FROM operation WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.reader)
            .await
            .map_err(fail)?;
        row.map_or(Ok((false, false)), |row| Ok((flag(&row, "cancel")?, flag(&row, "abandon")?)))
    }

    async fn owned(&self, me: DaemonId) -> Result<Vec<Operation>, StoreError> {
        load(&mut self.read().await?, "state = 'running' AND owner = $1", &me.to_string()).await
    }

    async fn taken_upids(&self, op: &Operation) -> Result<HashSet<Upid>, StoreError> {
        self.taken_by_others(op).await
    }

    async fn earlier(&self, op: &Operation) -> Result<Vec<OperationId>, StoreError> {
        self.earlier_than(op).await
    }

    async fn over(&self, id: OperationId) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT finished_us FROM operation WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&self.reader)
            .await
            .map_err(fail)?;
        row.map_or(Ok(true), |row| Ok(get::<Option<i64>>(&row, "finished_us")?.is_some()))
    }

    async fn identity(&self, op: &Operation) -> Result<Option<Identity>, StoreError> {
        let row = sqlx::query(
            "SELECT hwaddrs, marker FROM container WHERE id = $1 AND installation = $2 AND vmid = $3 \
             AND closed_us IS NULL AND gone_since_us IS NULL",
        )
        .bind(op.target.container_id.to_string())
        .bind(op.target.installation.0.clone())
        .bind(i64::from(op.target.vmid))
        .fetch_optional(&self.reader)
        .await
        .map_err(fail)?;
        row.map(|row| Ok(Identity { hwaddrs: get_json(&row, "hwaddrs")?, marker: get(&row, "marker")? }))
            .transpose()
    }
}

impl Store {
    /// Clears the attention mark of an operation by a person's word, and says so in its events and in the
    /// audit.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resolve_attention(
        &self,
        op: &Operation,
        succeeded: bool,
        audit: &AuditRecord,
    ) -> Result<()> {
        let now = audit.time;
        let Some(outcome) = op.outcome() else { return Ok(()) };
        let mut outcome = outcome.clone();
        outcome.ending = if succeeded { Ending::Succeeded } else { Ending::Failed };
        outcome.word = if succeeded { Word::Done } else { Word::Failed };
        outcome.detail = "resolved by a person".to_owned();
        let state = if succeeded { "succeeded" } else { "failed" };
        let mut tx = self.write().await?;
        let row = sqlx::query(
            "UPDATE operation SET state = $2, outcome = $3, last_seq = last_seq + 1 \
             WHERE id = $1 AND state = 'needs_attention' RETURNING last_seq",
        )
        .bind(op.id.to_string())
        .bind(state)
        .bind(json(&outcome)?)
        .fetch_optional(&mut *tx)
        .await
        .map_err(fail)?;
        if let Some(row) = row {
            let event = EventDraft::new(EventKind::Changed, format!("resolved as {state}"));
            let drafted = Drafted { op, seq: get(&row, "last_seq")?, draft: &event, now };
            insert_events(&mut tx, &[drafted]).await?;
            let version = poller::next_version(&mut tx, &op.target.installation).await?;
            sqlx::query("UPDATE container SET attention = NULL, version = $2 WHERE attention = $1")
                .bind(op.id.to_string())
                .bind(version)
                .execute(&mut *tx)
                .await
                .map_err(fail)?;
            audit::insert(&mut tx, audit).await?;
        }
        tx.commit().await.map_err(fail)
    }
}
