//! Operations: what one is, how it moves from state to state, and what comes next. Everything here is
//! pure: [`plan`] decides, [`Change::apply`] moves, and lxcd's engine does what they say.

pub mod admission;
pub mod adopt;
pub mod change;
pub mod event;
pub mod kind;
pub mod outcome;
pub mod plan;
pub mod state;
pub mod step;
pub mod words;

pub use adopt::{Adoption, Baseline, adopt};
pub use change::{Change, WAITING, apply};
pub use event::{EventDraft, EventKind};
pub use kind::{Goal, Kind, StepKind, Weight};
pub use outcome::{Ending, How, Outcome, Word};
pub use plan::{Facts, Found, Next, Reply, Seen, plan};
pub use state::{Operation, State, Target};
pub use step::{Dispatch, Step, StepState, Watch, Work};
