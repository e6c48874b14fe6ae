//! Ctrl-C and SIGTERM: they end this command and nothing else; and that the terminal has another size now. Owns
//! catching them; must not decide what ends.

use lxc_core::error::{Code, Error, Exit, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

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
