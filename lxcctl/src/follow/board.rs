//! What a watcher has seen of its operations. Owns that each event counts once, however often a stream
//! is begun anew; must not wait or print.

use std::collections::HashMap;

use crate::client::WatchItem;
use crate::client::view::{Event, Operation};
use crate::ui::phases::Phases;
use crate::ui::progress::{Progress, Widths};
use crate::ui::time::Instant;
use crate::ui::words::{self, WAITING, doing};

/// One operation and how far it was seen.
#[derive(Debug, Clone)]
pub struct Tracked {
    /// As last heard.
    pub operation: Operation,
    /// Its end was seen.
    pub ended: bool,
    /// It was seen to act. Before that it waits for a lock or its turn, or is refused in a moment.
    pub begun: bool,
    /// Of a create.
    pub phases: Option<Phases>,
    opening: String,
    message: String,
    percent: Option<f64>,
    forced_at: Option<Instant>,
    seq: i64,
}

impl Tracked {
    /// As the progress lines want it.
    #[must_use]
    pub fn progress(&self) -> Progress<'_> {
        Progress {
            target: &self.operation.target,
            name: self.operation.name.as_deref().unwrap_or("-"),
            doing: self.doing(),
            waiting: self.waits(),
            message: &self.message,
            percent: self.percent,
            forced_at: self.forced_at,
            since: self.operation.created_at.0,
        }
    }

    /// `starting`, or `waiting` for what it needs first.
    #[must_use]
    pub fn doing(&self) -> &'static str {
        if self.waits() { WAITING } else { doing(&self.operation.verb) }
    }

    fn waits(&self) -> bool {
        !self.begun && self.operation.state == "queued"
    }

    /// What was said as it was asked for: `op 90ab77e2, grace 30s`.
    #[must_use]
    pub fn opening(&self) -> &str {
        &self.opening
    }

    /// What it was last heard to do.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// What an item of the stream was.
#[derive(Debug)]
pub enum Seen {
    /// The first line of that operation, which says nothing yet about what will come of it.
    Opening(usize, Box<Event>),
    /// That operation is under way, without a line about it.
    Begun(usize),
    /// A change of that operation's progress.
    Progress(usize, Box<Event>),
    /// Another fact about one of them.
    Other(Box<Event>),
    /// The end of that operation.
    Ended(usize),
    /// Nothing new.
    Nothing,
}

/// All operations of one command, in the order of its targets.
#[derive(Debug, Clone, Default)]
pub struct Board {
    items: Vec<Tracked>,
    index: HashMap<String, usize>,
}

impl Board {
    /// A board with these operations on it, none of whose events were seen.
    #[must_use]
    pub fn new(operations: Vec<Operation>) -> Self {
        let index = operations.iter().enumerate().map(|(at, op)| (op.id.clone(), at)).collect();
        let track = |operation: Operation| Tracked {
            message: operation.phase.as_deref().map(words::phase).unwrap_or_default(),
            phases: Phases::of(&operation),
            operation,
            ended: false,
            begun: false,
            opening: String::new(),
            percent: None,
            forced_at: None,
            seq: 0,
        };
        Self { items: operations.into_iter().map(track).collect(), index }
    }

    /// Everything on it.
    #[must_use]
    pub fn items(&self) -> &[Tracked] {
        &self.items
    }

    /// The operations as they stand.
    #[must_use]
    pub fn operations(&self) -> Vec<&Operation> {
        self.items.iter().map(|item| &item.operation).collect()
    }

    /// Widths of targets and names.
    #[must_use]
    pub fn widths(&self) -> Widths {
        Widths::of(
            self.items
                .iter()
                .map(|i| (i.operation.target.as_str(), i.operation.name.as_deref().unwrap_or("-"))),
        )
    }

    /// Nothing is left to wait for.
    #[must_use]
    pub fn all_ended(&self) -> bool {
        self.items.iter().all(|item| item.ended)
    }

    /// What is known to have ended counts as seen to its end: the stream is complete.
    pub fn settle(&mut self) -> bool {
        for item in &mut self.items {
            item.ended |= item.operation.has_ended();
        }
        self.all_ended()
    }

    /// Ids of what has not ended, and the last event seen of each.
    #[must_use]
    pub fn positions(&self) -> (Vec<String>, Vec<i64>) {
        self.items.iter().filter(|i| !i.ended).map(|i| (i.operation.id.clone(), i.seq)).unzip()
    }

    /// Takes in one item of the stream.
    pub fn apply(&mut self, item: WatchItem) -> Seen {
        match item {
            WatchItem::Snapshot(operation) => {
                if let Some(tracked) = self.find(&operation.id)
                    && !tracked.ended
                {
                    tracked.phases = tracked.phases.take().or_else(|| Phases::of(&operation));
                    tracked.operation = *operation;
                }
                Seen::Nothing
            }
            WatchItem::Skipped { operation_id, to } => {
                if let Some(tracked) = self.find(&operation_id) {
                    tracked.seq = tracked.seq.max(to);
                }
                Seen::Nothing
            }
            WatchItem::Ended(operation) => {
                let Some(&at) = self.index.get(&operation.id) else { return Seen::Nothing };
                let tracked = &mut self.items[at];
                if tracked.ended {
                    return Seen::Nothing;
                }
                tracked.ended = true;
                if let (Some(phases), Some(at)) = (&mut tracked.phases, operation.finished_at) {
                    phases.end(at.0, operation.state == "succeeded");
                }
                tracked.operation = *operation;
                Seen::Ended(at)
            }
            WatchItem::Event(event) => self.event(event),
        }
    }

    fn event(&mut self, event: Box<Event>) -> Seen {
        let Some(&at) = event.operation_id.as_ref().and_then(|id| self.index.get(id)) else {
            return Seen::Nothing;
        };
        let tracked = &mut self.items[at];
        if let Some(seq) = event.seq {
            if seq <= tracked.seq {
                return Seen::Nothing;
            }
            tracked.seq = seq;
        }
        if let Some(phases) = &mut tracked.phases {
            phases.see(&event, &tracked.operation.steps);
        }
        match event.kind_of.as_str() {
            // The first one is written with the request.
            "progress" if event.seq == Some(1) && event.message.starts_with("op ") => {
                tracked.opening.clone_from(&event.message);
                tracked.message.clone_from(&event.message);
                Seen::Opening(at, event)
            }
            "progress" if !event.message.is_empty() => {
                tracked.begun = true;
                tracked.message.clone_from(&event.message);
                tracked.percent = event.percent.or(tracked.percent);
                tracked.forced_at = event.forced_at;
                Seen::Progress(at, event)
            }
            // The engine's own steps are for `op log`; of them only the countdown is of use here.
            "step" => {
                tracked.forced_at = event.forced_at.or(tracked.forced_at);
                tracked.begun |= event.step.is_some();
                // A task of Proxmox's runs. One that has no line of its own is told by the first one.
                if event.message == "watching" { Seen::Begun(at) } else { Seen::Nothing }
            }
            "log" => Seen::Nothing,
            _ => Seen::Other(event),
        }
    }

    fn find(&mut self, id: &str) -> Option<&mut Tracked> {
        self.index.get(id).copied().map(|at| &mut self.items[at])
    }
}
