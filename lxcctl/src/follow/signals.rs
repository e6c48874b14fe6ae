//! Ctrl-C and SIGTERM: they end this command and nothing else. Owns catching them; must not decide what ends.

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
        let listen = |kind| {
            signal(kind).map_err(|fault| {
                Error::new(Code::Internal, "signals cannot be caught").because(fault.to_string())
            })
        };
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
