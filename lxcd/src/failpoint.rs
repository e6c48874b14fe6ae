//! Named places where a debug build can be made to die or hang, for the crash tests. In a release build
//! [`hit`] is empty. Owns the switch; the places themselves are in the engine.

/// Does nothing, unless a test armed this very place.
#[cfg(not(debug_assertions))]
pub async fn hit(_place: &str) {}

#[cfg(debug_assertions)]
pub use armed::{Action, arm, arm_from_env, disarm, hit, reached};

#[cfg(debug_assertions)]
mod armed {
    use parking_lot::Mutex;
    use tokio::sync::Notify;

    /// What happens at an armed place.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Action {
        /// The process dies as by kill -9.
        Abort,
        /// This task stops for ever; the test then drops the runtime.
        Hang,
    }

    static ARMED: Mutex<Option<(String, Action)>> = Mutex::new(None);
    static REACHED: Notify = Notify::const_new();

    /// Arms one place, once.
    pub fn arm(place: &str, action: Action) {
        *ARMED.lock() = Some((place.to_owned(), action));
    }

    /// Arms nothing any more.
    pub fn disarm() {
        *ARMED.lock() = None;
    }

    /// `LXCD_FAILPOINT=engine.sent` makes the process die there.
    pub fn arm_from_env() {
        if let Ok(place) = std::env::var("LXCD_FAILPOINT") {
            arm(&place, Action::Abort);
        }
    }

    /// Waits until an armed place was hit.
    pub async fn reached() {
        REACHED.notified().await;
    }

    /// Does nothing, unless a test armed this very place.
    pub async fn hit(place: &str) {
        let action = {
            let mut armed = ARMED.lock();
            match armed.as_ref() {
                Some((name, action)) if name == place => {
                    let action = *action;
                    *armed = None;
                    action
                }
                _ => return,
            }
        };
        REACHED.notify_one();
        match action {
            Action::Abort => std::process::abort(),
            Action::Hang => std::future::pending::<()>().await,
        }
    }
}
