//! Submitting: request, operations, audit and first events in one transaction, with admission in the
//! same one (ARCHITECTURE.md, rule 1).

use lxc_core::actor::Actor;
use lxc_core::create::Clash;
use lxc_core::ids::{DaemonId, Micros, RequestId};
use lxc_core::op::{EventDraft, EventKind, Operation};
use lxc_core::ports::{Claims, Now};
use lxc_core::record::ContainerRecord;
use sqlx::AssertSqlSafe;

use super::event::{Drafted, insert_events};
use super::reserve::{Reserved, reserve};
use super::write::insert_steps;
use super::{Connection, Result, Store, bulk, fail, json, work};

/// What a person asked for, resolved.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// The caller's key, or one made for it.
    pub id: RequestId,
    /// Of verb, flags and selector text: what makes a repeated request the same.
    pub digest: String,
    /// Who.
    pub actor: Actor,
    /// The verb.
    pub verb: String,
    /// Flags, as JSON.
    pub options: String,
    /// The selector as typed.
    pub selector_text: String,
    /// At once.
    pub max_parallel: u32,
    /// At once per node; 0 = unbounded.
    pub max_per_node: u32,
    /// Stop at the first failure.
    pub on_error_stop: bool,
    /// Between two admissions.
    pub pause: Micros,
    /// When.
    pub created: Micros,
    /// The same moment, as lock deadlines are measured.
    pub steady: Micros,
    /// One per target, queued.
    pub operations: Vec<Operation>,
    /// The container that the only operation is to make, as it is before Proxmox knows it.
    pub made: Option<ContainerRecord>,
    /// What the pieces of its work read, by step.
    pub inputs: Vec<(usize, Vec<u8>)>,
}

impl NewRequest {
    /// For that operation and no other. `of` = its digest and its flags.
    #[must_use]
    pub fn alone(of: (String, String), actor: Actor, selector_text: String, now: Now, op: Operation) -> Self {
        let (digest, options) = of;
        Self {
            id: op.request_id,
            digest,
            actor,
            verb: op.kind.verb().to_owned(),
            options,
            selector_text,
            max_parallel: 1,
            max_per_node: 0,
            on_error_stop: false,
            pause: 0,
            created: now.wall,
            steady: now.steady,
            operations: vec![op],
            made: None,
            inputs: Vec::new(),
        }
    }
}

/// What came of a submit.
#[derive(Debug)]
pub enum Submitted {
    /// Stored; what may begin has been claimed.
    New(Claims),
    /// The same request was stored before; this is its batch.
    Replayed(RequestId),
    /// The request id was used for something else.
    Reused,
    /// Somebody has the number of the container to be made; nothing is stored.
    Taken,
    /// That container has the name or an address of the one to be made; nothing is stored.
    Clash(Clash, Box<ContainerRecord>),
}

impl Store {
    /// Stores a request and admits what may begin, for daemon `me`.
    ///
    /// # Errors
    /// When the database fails; then nothing is stored.
    pub async fn submit(&self, request: &NewRequest, me: DaemonId) -> Result<Submitted> {
        let mut tx = self.write().await?;
        // Two daemons may be asked the same at once: the second waits here for the first, then sees it.
        if !insert_request(&mut tx, request).await? {
            let same = digest(&mut tx, request.id).await?.is_some_and(|known| known == request.digest);
            return Ok(if same { Submitted::Replayed(request.id) } else { Submitted::Reused });
        }
        insert_operations(&mut tx, &request.operations).await?;
        if let (Some(record), [op]) = (&request.made, request.operations.as_slice()) {
            // Before the rows of its installation, as the loop takes them: else each may come to wait for the other.
            self.one_at_a_time(&mut tx).await?;
            match reserve(&mut tx, op, record, request.created).await? {
                Reserved::Yes => {}
                Reserved::Taken => return Ok(Submitted::Taken),
                Reserved::Clash(clash, other) => return Ok(Submitted::Clash(clash, other)),
            }
        }
        for op in &request.operations {
            if let Some(before) = op.retry_of {
                work::copy(&mut tx, before, op.id).await?;
            }
            work::insert(&mut tx, op.id, &request.inputs).await?;
        }
        insert_first_events(&mut tx, request).await?;
        super::audit::insert_operations(&mut tx, request).await?;
        let now = Now { wall: request.created, steady: request.steady };
        // A lone one is admitted or refused here and now; of many, the rest is admitted by the loop.
        let claims = match request.operations.as_slice() {
            [alone] => self.admit_alone(&mut tx, me, now, alone).await?,
            _ => self.admit_pass(&mut tx, me, now, super::admission::MOST).await?,
        };
        tx.commit().await.map_err(fail)?;
        Ok(Submitted::New(claims))
    }

    /// What made the request of that id the one it is; None = there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request_digest(&self, id: RequestId) -> Result<Option<String>> {
        digest(&mut self.read().await?, id).await
    }
}

async fn digest(connection: &mut Connection, id: RequestId) -> Result<Option<String>> {
    sqlx::query_scalar("SELECT digest FROM request WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await
        .map_err(fail)
}

/// False = there is one of that id.
async fn insert_request(tx: &mut Connection, request: &NewRequest) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO request (id, digest, actor, actor_name, verb, options, selector_text, max_parallel, \
         max_per_node, on_error_stop, pause_us, created_us) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING",
    )
    .bind(request.id.to_string())
    .bind(request.digest.clone())
    .bind(json(&request.actor)?)
    .bind(request.actor.name.clone())
    .bind(request.verb.clone())
    .bind(request.options.clone())
    .bind(request.selector_text.clone())
    .bind(i64::from(request.max_parallel))
    .bind(i64::from(request.max_per_node))
    .bind(i64::from(request.on_error_stop))
    .bind(request.pause)
    .bind(request.created)
    .execute(tx)
    .await
    .map_err(fail)?;
    Ok(done.rows_affected() > 0)
}

async fn insert_operations(tx: &mut Connection, operations: &[Operation]) -> Result<()> {
    const INTO: &str = "operation (id, request_id, idx, verb, kind, kind_version, weight, installation, vmid, \
         container_id, remote, name, node, actor, state, warnings, if_needed, lock_deadline_us, cancel, abandon, \
         fence, created_us, last_seq, retry_of, login)";
    let numbered: Vec<(usize, &Operation)> = operations.iter().enumerate().collect();
    for part in bulk::parts(&numbered) {
        let mut query = sqlx::query(AssertSqlSafe(bulk::insert(INTO, 25, part.len())));
        for (idx, op) in part {
            let target = &op.target;
            query = query
                .bind(op.id.to_string())
                .bind(op.request_id.to_string())
                .bind(i64::try_from(*idx).unwrap_or(0))
                .bind(op.kind.verb())
                .bind(json(&op.kind)?)
                .bind(op.kind.version())
                .bind(op.kind.weight().name())
                .bind(target.installation.0.clone())
                .bind(i64::from(target.vmid))
                .bind(target.container_id.to_string())
                .bind(target.remote.clone())
                .bind(target.name.clone())
                .bind(target.node.clone())
                .bind(op.actor.clone())
                .bind("queued")
                .bind(json(&op.warnings)?)
                .bind(i64::from(op.if_needed))
                .bind(op.lock_deadline)
                .bind(0_i64)
                .bind(0_i64)
                .bind(0_i64)
                .bind(op.created)
                .bind(1_i64)
                .bind(op.retry_of.map(|id| id.to_string()))
                .bind(op.login.clone());
        }
        query.execute(&mut *tx).await.map_err(fail)?;
    }
    let steps: Vec<_> =
        operations.iter().flat_map(|op| op.steps.iter().enumerate().map(|step| (op.id, step))).collect();
    // A task of a step that a retry has carried over belongs to the operation that ran it.
    insert_steps(tx, &steps, |_| None, "").await
}

/// Says of each that it was asked for.
async fn insert_first_events(tx: &mut Connection, request: &NewRequest) -> Result<()> {
    let first = |op: &Operation| EventDraft::new(EventKind::Progress, op.opening()).at(op.percent());
    let drafts: Vec<EventDraft> = request.operations.iter().map(first).collect();
    let now = request.created;
    let numbered = request.operations.iter().zip(&drafts);
    let rows: Vec<_> = numbered.map(|(op, draft)| Drafted { op, seq: 1, draft, now }).collect();
    insert_events(tx, &rows).await
}
