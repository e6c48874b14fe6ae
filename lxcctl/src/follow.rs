//! Following operations until they end, or until nobody waits any more. Owns the watch, its
//! reconnection and the patience of this command; must not submit, nor decide the exit code.

mod board;
mod signals;

use std::time::Duration;

use lxc_core::error::{Code, Error, Exit, Result};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until};

pub use board::{Board, Seen, Tracked};
pub use signals::Signals;
pub(crate) use signals::{Answered, Resizes, answered};

use crate::cli::groups::micros;
use crate::cli::{Format, ProgressMode};
use crate::client::{Client, WatchEnd, WatchStream};
use crate::context::Context;
use crate::ui::phases::{self, Phases};
use crate::ui::progress::{self, Progress, Widths};
use crate::ui::words::WAITING;
use crate::ui::{json, time};

const FRAME: Duration = Duration::from_millis(100);
/// After this the first line of an operation is told, whatever comes of it: a look at a container is over by
/// then, and who waits for longer wants to know what for.
const HOLD: Duration = Duration::from_secs(1);
/// How long a daemon may be away (a restart, an upgrade) before this command lets go.
const RECONNECT_FOR: Duration = Duration::from_secs(15);

/// Why following ended.
#[derive(Debug)]
pub enum Ending {
    /// Every operation has ended.
    Complete,
    /// Ctrl-C or SIGTERM: 130 or 143.
    Signalled(Exit),
    /// The patience of this command is over.
    TimedOut,
    /// The daemon went away and did not come back in time.
    Lost(Error),
}

/// How to follow.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Let go after this; `None` = never.
    pub timeout: Option<Duration>,
    /// Show nothing while waiting.
    pub silent: bool,
}

/// How progress comes out of this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Moving,
    Lines,
    Json,
    Nothing,
}

impl Show {
    fn of(context: &Context, silent: bool) -> Self {
        let quiet = silent || context.printer.is_quiet() || context.progress == ProgressMode::None;
        match context.format {
            Format::Jsonl => Self::Json,
            Format::Json | Format::Yaml | Format::Name => Self::Nothing,
            _ if quiet => Self::Nothing,
            _ if context.progress == ProgressMode::Plain || !context.printer.can_move => Self::Lines,
            _ => Self::Moving,
        }
    }
}

/// Follows every operation on the board to its end. What was seen stays on the board, however it ended.
///
/// # Errors
/// What the daemon says about the watch itself.
pub async fn follow(
    context: &mut Context,
    client: &Client,
    board: &mut Board,
    patience: Patience,
    signals: &mut Signals,
) -> Result<Ending> {
    let mut run = Run {
        show: Show::of(context, patience.silent),
        widths: board.widths(),
        signals,
        deadline: patience.timeout.map(|timeout| Instant::now() + timeout),
        ticks: interval(FRAME),
        held: Vec::new(),
        frame: 0,
        context,
        board,
    };
    run.ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let ending = run.until_end(client).await;
    run.context.printer.wipe();
    run.keep_phases();
    ending
}

struct Run<'a> {
    context: &'a mut Context,
    board: &'a mut Board,
    show: Show,
    widths: Widths,
    signals: &'a mut Signals,
    deadline: Option<Instant>,
    ticks: Interval,
    /// First lines that are not told yet, and since when.
    held: Vec<(usize, Instant)>,
    frame: usize,
}

impl Run<'_> {
    async fn until_end(&mut self, client: &Client) -> Result<Ending> {
        let mut client = client.clone();
        loop {
            let (ids, after) = self.board.positions();
            if ids.is_empty() {
                return Ok(Ending::Complete);
            }
            let deadline = self.deadline;
            let stream = tokio::select! {
                biased;
                exit = self.signals.next() => return Ok(Ending::Signalled(exit)),
                stream = client.watch(ids, after) => stream,
                () = until(deadline) => return Ok(Ending::TimedOut),
            };
            let lost = match stream {
                Ok(mut stream) => match self.drain(&mut stream).await? {
                    Ok(ending) => return Ok(ending),
                    Err(lost) => lost,
                },
                Err(fault) if is_away(&fault) => fault,
                Err(fault) => return Err(fault),
            };
            match self.reconnect(&client, lost).await {
                Ok(fresh) => client = fresh,
                Err(ending) => return Ok(ending),
            }
        }
    }

    /// Reads one stream to its end: `Ok(Err(…))` says that it broke.
    async fn drain(&mut self, stream: &mut WatchStream) -> Result<Result<Ending>> {
        loop {
            if self.board.all_ended() {
                return Ok(Ok(Ending::Complete));
            }
            let deadline = self.deadline;
            let patience = self.held.first().map(|(_, since)| *since + HOLD);
            tokio::select! {
                biased;
                exit = self.signals.next() => return Ok(Ok(Ending::Signalled(exit))),
                item = stream.next() => match item {
                    Ok(item) => {
                        let seen = self.board.apply(item);
                        self.tell(seen)?;
                    }
                    Err(WatchEnd::Complete) if self.board.settle() => return Ok(Ok(Ending::Complete)),
                    Err(WatchEnd::Complete) => {
                        return Ok(Err(Error::new(Code::DaemonUnreachable, "lxcd does not answer")
                            .because("it ended the watch before the operations")));
                    }
                    Err(WatchEnd::Lost(fault)) => return Ok(Err(fault)),
                    Err(WatchEnd::Refused(fault)) if is_away(&fault) => return Ok(Err(fault)),
                    Err(WatchEnd::Refused(fault)) => return Err(fault),
                },
                () = until(deadline) => return Ok(Ok(Ending::TimedOut)),
                () = until(patience) => self.let_go(),
                _ = self.ticks.tick(), if self.show == Show::Moving => self.draw(),
            }
        }
    }

    /// Tries again and again for a while; what was seen is not asked for twice.
    async fn reconnect(&mut self, client: &Client, lost: Error) -> Result<Client, Ending> {
        let deadline = self.deadline;
        tokio::select! {
            biased;
            exit = self.signals.next() => Err(Ending::Signalled(exit)),
            () = until(deadline) => Err(Ending::TimedOut),
            fresh = come_back(client, lost) => fresh.map_err(Ending::Lost),
        }
    }

    fn tell(&mut self, seen: Seen) -> Result<()> {
        match (self.show, seen) {
            (Show::Json, Seen::Opening(_, event) | Seen::Progress(_, event) | Seen::Other(event)) => {
                self.context.printer.answer_line(&json::line(&*event)?);
                self.context.printer.flush();
            }
            (Show::Json, Seen::Ended(index)) => {
                self.context.printer.answer_line(&json::line(&self.board.items()[index].operation)?);
                self.context.printer.flush();
            }
            (Show::Lines, Seen::Progress(index, event)) => {
                self.tell_opening(index);
                let line = progress::plain(&self.board.items()[index].progress(), self.widths, event.time.0);
                self.context.printer.say(&line);
            }
            // Whether it starts is not known before it has begun; that it waits is known at once.
            (Show::Lines, Seen::Opening(index, event)) => {
                let item = &self.board.items()[index];
                if item.operation.state == "queued" {
                    let line = progress::plain(&item.progress(), self.widths, event.time.0);
                    self.context.printer.say(&line);
                } else {
                    self.held.push((index, Instant::now()));
                }
            }
            (Show::Lines, Seen::Begun(index)) => self.tell_opening(index),
            (Show::Lines, Seen::Ended(index)) => self.held.retain(|(held, _)| *held != index),
            _ => {}
        }
        Ok(())
    }

    /// The first line of what has begun, as of when it was asked for.
    fn tell_opening(&mut self, index: usize) {
        let held = self.held.len();
        self.held.retain(|(item, _)| *item != index);
        if self.held.len() < held {
            let item = &self.board.items()[index];
            let opening = Progress { message: item.opening(), ..item.progress() };
            let line = progress::plain(&opening, self.widths, item.operation.created_at.0);
            self.context.printer.say(&line);
        }
    }

    /// What has neither begun nor ended after a moment waits for something.
    fn let_go(&mut self) {
        let due = Instant::now();
        for index in self.held.extract_if(.., |(_, since)| *since + HOLD <= due).map(|(index, _)| index) {
            let waiting = Progress { doing: WAITING, ..self.board.items()[index].progress() };
            self.context.printer.say(&progress::plain(&waiting, self.widths, time::now()));
        }
    }

    /// The only operation, when it is one with phases and has begun.
    fn phased(&self) -> Option<(&Tracked, &Phases)> {
        let [item] = self.board.items() else { return None };
        Some((item, item.phases.as_ref().filter(|_| item.begun)?))
    }

    /// What was done stays to be read when the bar is gone.
    fn keep_phases(&mut self) {
        if self.show != Show::Moving {
            return;
        }
        let look = self.context.printer.err_look;
        let lines = self.phased().map(|(_, phases)| phases.lines(time::now(), "", true, look));
        lines.unwrap_or_default().iter().for_each(|line| self.context.printer.say(line));
    }

    fn draw(&mut self) {
        self.context.printer.measure();
        let look = self.context.printer.err_look;
        let now = time::now();
        let late = now - micros(HOLD);
        let running: Vec<_> = self
            .board
            .items()
            .iter()
            .filter(|item| !item.ended)
            .map(|item| match item.progress() {
                idle if !item.begun && idle.since < late => {
                    Progress { doing: WAITING, waiting: true, ..idle }
                }
                busy => busy,
            })
            .collect();
        let lines = match self.phased() {
            Some((item, phases)) => {
                let frame = progress::spinner(self.frame, look);
                let mut lines = vec![phases::bar(&item.progress(), now, &frame, look)];
                lines.extend(phases.lines(now, &frame, false, look));
                lines
            }
            None => progress::moving(&running, self.widths, now, self.frame, look),
        };
        self.frame += 1;
        self.context.printer.move_to(&lines);
    }
}

/// Connects again to a daemon that went away, for as long as a restart or an upgrade may take.
///
/// # Errors
/// Why it is away, at last.
pub(crate) async fn come_back(client: &Client, lost: Error) -> Result<Client> {
    let give_up = Instant::now() + RECONNECT_FOR;
    let mut pause = Duration::from_millis(50);
    let mut reason = lost;
    while Instant::now() < give_up {
        sleep(pause).await;
        match client.reconnect().await {
            Ok(fresh) => return Ok(fresh),
            Err(fault) => reason = fault,
        }
        pause = (pause * 2).min(Duration::from_secs(1));
    }
    Err(reason)
}

/// The daemon is not there now, which says nothing about what was asked.
pub(crate) fn is_away(fault: &Error) -> bool {
    matches!(fault.code, Code::DaemonUnreachable | Code::ShuttingDown)
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
