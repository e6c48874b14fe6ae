//! Ctrl-C and SIGTERM: they end this command and nothing else; and that the terminal has another size now. Owns
//! catching them; must not decide what ends.

use std::time::Duration;

use lxc_core::error::{Code, Error, Exit, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

/// How long after Ctrl-C an answer that is on its way is still waited for.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Signals that detach, and end the endless commands. Caught from the moment of listening on.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Catches Ctrl-C and SIGTERM from now on.
    ///
    /// # Errors
    /// When signals cannot be caught.
    pub fn listen() -> Result<Self> {
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// The next one: 130 or 143.
    pub async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }
}

/// What became of a question whose answer decides what there is to come back to.
pub(crate) enum Answered<T> {
    /// It came.
    Undisturbed(T),
    /// It came, but nobody wants to wait for more.
    AndLetGo(T, Exit),
    /// Nobody wanted to wait for it.
    Never(Exit),
}

/// Waits for the answer. Who lets go is not let go without it, unless they insist or it takes too long: only with
/// it can be said how to come back.
pub(crate) async fn answered<T>(signals: &mut Signals, answer: impl Future<Output = T>) -> Answered<T> {
    let mut answer = std::pin::pin!(answer);
    let exit = tokio::select! {
        biased;
        exit = signals.next() => exit,
        answer = &mut answer => return Answered::Undisturbed(answer),
    };
    tokio::select! {
        biased;
        _ = signals.next() => Answered::Never(exit),
        answer = &mut answer => Answered::AndLetGo(answer, exit),
        () = sleep(LAST_WORD) => Answered::Never(exit),
    }
}

/// Changes of the terminal's size.
pub(crate) struct Resizes(Signal);

impl Resizes {
    /// Hears of them from now on.
    ///
    /// # Errors
    /// When signals cannot be caught.
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self(listen(SignalKind::window_change())?))
    }

    /// The next one.
    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}

fn listen(kind: SignalKind) -> Result<Signal> {
    signal(kind)
        .map_err(|fault| Error::new(Code::Internal, "signals cannot be caught").because(fault.to_string()))
}
