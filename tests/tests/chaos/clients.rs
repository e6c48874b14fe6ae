//! The clients: each takes a container, submits a verb to one daemon, and follows it over whichever answers. Own
//! what they were told, to be compared in the end.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lxc_proto::v1 as pb;
use pb::watch_reply::Item;
use rand::RngExt;
use rand::rngs::StdRng;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::stage::client::{Client, Order};
use super::stage::{CONTAINERS, FIRST, Stage};

/// A stream that says nothing for so long is left; keep-alives come more often.
const SILENCE: Duration = Duration::from_secs(5);
/// An operation that has not ended by then is left to the check.
const LONGEST: Duration = Duration::from_secs(100);

/// What a client was told of one operation.
#[derive(Debug, Default)]
pub(crate) struct Story {
    pub(crate) seqs: Vec<i64>,
    /// Ranges that a stream said are not stored any more.
    pub(crate) skipped: Vec<(i64, i64)>,
    pub(crate) result: Option<pb::Operation>,
    /// How many streams it took.
    pub(crate) streams: u32,
}

/// What all clients were told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Request ids, and the operation each led to as far as somebody heard.
    pub(crate) requests: BTreeMap<String, Option<String>>,
    /// By operation.
    pub(crate) stories: BTreeMap<String, Story>,
    refused: u32,
    unheard: u32,
}

impl Told {
    pub(crate) fn add(&mut self, other: Self) {
        self.requests.extend(other.requests);
        self.stories.extend(other.stories);
        self.refused += other.refused;
        self.unheard += other.unheard;
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = self.stories.values().filter(|story| story.streams > 1).count();
        write!(
            f,
            "{} requests ({} refused at once, {} never answered), {} followed, {again} over several streams",
            self.requests.len(),
            self.refused,
            self.unheard,
            self.stories.len()
        )
    }
}

/// Works until it is over, and follows to its end what it has begun.
pub(crate) async fn work(stage: Arc<Stage>, mut rng: StdRng, over: CancellationToken) -> Told {
    let clients: Vec<Client> = stage.sockets.iter().map(|socket| Client::new(socket)).collect();
    let mut told = Told::default();
    while !over.is_cancelled() {
        // A few are wanted by everybody.
        let vmid = FIRST
            + if rng.random_bool(0.3) { rng.random_range(0..8) } else { rng.random_range(0..CONTAINERS) };
        let verb = ["start", "start", "stop", "shutdown", "restart", "restart"][rng.random_range(0..6)];
        let order = Order {
            grace: (verb == "shutdown" || verb == "restart").then_some(30),
            if_needed: rng.random_bool(0.3),
            wait_lock_us: rng.random_bool(0.3).then_some(20_000_000),
            ..Order::new(verb, vmid)
        };
        let first = rng.random_range(0..clients.len());
        if let Some(op) = submit(&clients, first, &order, &mut told, &over).await {
            if rng.random_bool(0.05) {
                let client = clients[rng.random_range(0..clients.len())].clone();
                let id = op.id.clone();
                // Whether it comes in time is not what is looked at.
                tokio::spawn(async move { client.try_cancel(&id).await });
            }
            let story = follow(&clients, rng.random_range(0..clients.len()), &op.id).await;
            told.stories.insert(op.id, story);
        }
    }
    told
}

/// Submits one verb under one request id, to another daemon when one does not answer.
async fn submit(
    clients: &[Client],
    first: usize,
    order: &Order,
    told: &mut Told,
    over: &CancellationToken,
) -> Option<pb::Operation> {
    let request = uuid::Uuid::now_v7().to_string();
    let mut reference = None;
    for attempt in 0..40 {
        if over.is_cancelled() && reference.is_none() {
            return None;
        }
        let client = &clients[(first + attempt) % clients.len()];
        if reference.is_none() {
            match tokio::time::timeout(SILENCE, client.reference(order.verb, order.vmid)).await {
                Ok(Ok(found)) => reference = Some(found),
                _ => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            }
        }
        let reference = reference.clone()?;
        told.requests.entry(request.clone()).or_insert(None);
        match tokio::time::timeout(SILENCE, client.submit(order, reference, &request)).await {
            Ok(Ok(op)) => {
                told.requests.insert(request, Some(op.id.clone()));
                return Some(op);
            }
            Ok(Err(status))
                if matches!(
                    status.code(),
                    Code::Unavailable
                        | Code::Unknown
                        | Code::Internal
                        | Code::Cancelled
                        | Code::DeadlineExceeded
                        | Code::DataLoss
                ) => {}
            Ok(Err(_)) => {
                // Locked, replaced …: an answer.
                told.refused += 1;
                return None;
            }
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    told.unheard += 1;
    None
}

/// Follows to the end, from one daemon to the next when a stream breaks.
async fn follow(clients: &[Client], first: usize, id: &str) -> Story {
    let mut story = Story::default();
    let end = tokio::time::Instant::now() + LONGEST;
    for attempt in 0.. {
        if story.result.is_some() || tokio::time::Instant::now() > end {
            break;
        }
        let after =
            story.seqs.last().copied().unwrap_or(0).max(story.skipped.last().map_or(0, |skip| skip.1));
        let client = &clients[(first + attempt) % clients.len()];
        if let Ok(Ok(mut stream)) = tokio::time::timeout(SILENCE, client.watch(id, after)).await {
            story.streams += 1;
            while let Ok(Ok(Some(reply))) = tokio::time::timeout(SILENCE, stream.message()).await {
                match reply.item {
                    Some(Item::Event(event)) => story.seqs.extend(event.seq),
                    Some(Item::Skipped(skip)) => story.skipped.push((skip.from, skip.to)),
                    Some(Item::Result(op)) => story.result = Some(op),
                    _ => {}
                }
            }
        }
        if story.result.is_none() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    story
}
