//! Named places where a debug build can be made to die or hang, for the crash tests. In a release build
//! [`hit`] is empty. Owns the switch; the places themselves are in the engine.

/// Does nothing, unless a test armed this very place.
#[cfg(not(debug_assertions))]
pub async fn hit(_place: &str, _edge: &str) {}

#[cfg(debug_assertions)]
pub use armed::{Action, Scope, arm_from_env, hit};

#[cfg(debug_assertions)]
mod armed {
    use std::cell::RefCell;
    use std::sync::{Arc, LazyLock};

    use parking_lot::Mutex;
    use tokio::sync::Notify;

    /// What happens at an armed place.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Action {
        /// The process dies by SIGKILL.
        Kill,
        /// This task stops for ever; the test then drops the runtime.
        Hang,
        /// This task stops until [`Scope::resume`].
        Pause,
    }

    #[derive(Debug)]
    struct Armed {
        place: String,
        /// How often the place is passed unharmed before.
        passes: u32,
        action: Action,
    }

    #[derive(Debug, Default)]
    struct Switch {
        armed: Mutex<Option<Armed>>,
        reached: Notify,
        resumed: Notify,
    }

    /// The places of one lxcd. A test gives each runtime a scope of its own, so that tests in the same
    /// process do not stop each other's daemons; threads without one share the process's.
    #[derive(Debug, Clone, Default)]
    pub struct Scope(Arc<Switch>);

    static PROCESS: LazyLock<Scope> = LazyLock::new(Scope::default);

    thread_local! {
        static HERE: RefCell<Scope> = RefCell::new(PROCESS.clone());
    }

    impl Scope {
        /// Makes it the scope of this thread; for `on_thread_start` of a runtime.
        pub fn enter(&self) {
            HERE.with(|here| *here.borrow_mut() = self.clone());
        }

        /// Arms one place, once. `record.before#2` is the second time that place is passed.
        pub fn arm(&self, place: &str, action: Action) {
            let (place, count) = place.split_once('#').unwrap_or((place, "1"));
            let passes = count.parse::<u32>().unwrap_or(1).saturating_sub(1);
            *self.0.armed.lock() = Some(Armed { place: place.to_owned(), passes, action });
        }

        /// Waits until an armed place was hit.
        pub async fn reached(&self) {
            self.0.reached.notified().await;
        }

        /// Lets what is paused go on.
        pub fn resume(&self) {
            self.0.resumed.notify_one();
        }

        /// Whether a place is armed and was not hit so far.
        #[must_use]
        pub fn is_armed(&self) -> bool {
            self.0.armed.lock().is_some()
        }

        /// What is to happen here, if anything; takes it off.
        fn take(&self, place: &str, edge: &str) -> Option<Action> {
            let mut slot = self.0.armed.lock();
            let armed = slot.as_mut()?;
            if armed.place.strip_prefix(place)?.strip_prefix('.')? != edge {
                return None;
            }
            if armed.passes > 0 {
                armed.passes -= 1;
                return None;
            }
            slot.take().map(|armed| armed.action)
        }
    }

    /// `LXCD_FAILPOINT=sent.after` makes the process die there.
    pub fn arm_from_env() {
        if let Ok(place) = std::env::var("LXCD_FAILPOINT") {
            PROCESS.arm(&place, Action::Kill);
        }
    }

    /// Does nothing, unless a test armed this very place.
    pub async fn hit(place: &str, edge: &str) {
        let scope = HERE.with(|here| here.borrow().clone());
        let Some(action) = scope.take(place, edge) else { return };
        scope.0.reached.notify_one();
        match action {
            Action::Kill => {
                // It cannot fail, and it comes before the next line or soon after it.
                let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::SIGKILL);
                std::future::pending::<()>().await;
            }
            Action::Hang => std::future::pending::<()>().await,
            Action::Pause => scope.0.resumed.notified().await,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn only_the_place_and_the_pass_that_was_armed() {
            let scope = Scope::default();
            scope.arm("record.before#2", Action::Hang);
            assert_eq!(scope.take("record", "after"), None);
            assert_eq!(scope.take("record", "before"), None);
            assert_eq!(scope.take("upid", "before"), None);
            assert_eq!(scope.take("record", "before"), Some(Action::Hang));
            assert_eq!(scope.take("record", "before"), None, "once");
            assert!(!scope.is_armed());
        }
    }
}
