//! What is run in a container: the command of each piece, its environment and its time. Pure; what goes in on standard
//! input is made once, at the submit (lxcd's `provision`), and what comes of it is `op`'s.

use std::time::Duration;

use crate::create::{Part, Spec};
use crate::ids::{OperationId, Vmid};
use crate::job::{Command, Job, JobId};
use crate::op::{Kind, Operation};
use crate::template::{LONGEST_TIME, Manager, Template, timeouts};

mod choose;

pub use choose::{Chosen, choose};

/// Runs in the container: unpacks what it reads and runs the `main` in it.
const ENTER: &str = include_str!("inside/enter.sh");
/// Runs on the node: waits until the container can be entered.
const REACH_NODE: &str = include_str!("inside/reach-node.sh");

/// What every script may count on.
pub const PRELUDE: &str = include_str!("inside/prelude.sh");

/// How long one of these may take.
const MINUTE: Duration = Duration::from_secs(60);
/// How long a look at what runs may take, by somebody who waits for it.
pub const LOOK_TIME: Duration = MINUTE;
/// A script that says nothing else.
const SCRIPT_TIME: Duration = Duration::from_secs(30 * 60);
/// The longest a script may ask for.
const LONGEST: Duration = Duration::from_secs(LONGEST_TIME);

/// What is run as `main` for a piece.
#[must_use]
pub fn main(part: &Part) -> &'static str {
    match part {
        Part::Reach => include_str!("inside/reach.sh"),
        Part::Files { .. } => include_str!("inside/files.sh"),
        Part::Packages { manager: Manager::Custom, .. } => include_str!("inside/custom.sh"),
        Part::Packages { .. } => include_str!("inside/packages.sh"),
        Part::Script { .. } => include_str!("inside/script.sh"),
        Part::Discover => include_str!("inside/discover.sh"),
    }
}

/// The job of a step; None for one that is no piece of work in a container. `stdin` is what was made for it, `reach` how
/// long the container may take until it can be worked in.
#[must_use]
pub fn job(op: &Operation, step: usize, stdin: Vec<u8>, reach: Duration) -> Option<Job> {
    let Kind::Create { spec, marker } = &op.kind else { return None };
    let part = op.kind.part(op.steps.get(step)?.kind)?;
    let vmid = op.target.vmid.to_string();
    let mut argv: Vec<String> = Vec::new();
    if *part == Part::Reach {
        argv.extend(["/bin/sh", "-c", REACH_NODE, "lxcd", vmid.as_str()].map(String::from));
    }
    argv.extend(enter(&vmid, environment(op, spec, *marker, part, reach)));
    let command = Command { argv, stdin, timeout: time(part, reach) };
    Some(Job { id: JobId { operation: op.id, step }, command })
}

/// What tells what runs in a container now, for no operation. `reveal` = the service whose secrets are told; `stdin` is what
/// was made for [`Part::Discover`].
#[must_use]
pub fn look(vmid: Vmid, reveal: Option<&str>, stdin: Vec<u8>) -> Command {
    let reveal = reveal.map(|service| ("REVEAL", service.to_owned()));
    let argv = enter(&vmid.to_string(), reveal.into_iter().collect());
    Command { argv, stdin, timeout: LOOK_TIME }
}

/// The command that runs what it reads in a container.
fn enter(vmid: &str, environment: Vec<(&'static str, String)>) -> Vec<String> {
    let enter = ["lxc-attach", "-n", vmid, "--clear-env", "--", "/bin/sh", "-c", ENTER, "lxcd"];
    let environment = environment.into_iter().map(|(name, value)| format!("{name}={value}"));
    enter.into_iter().map(String::from).chain(environment).collect()
}

/// What a piece is told, as names and values that no shell reads.
fn environment(
    op: &Operation,
    spec: &Spec,
    marker: OperationId,
    part: &Part,
    reach: Duration,
) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("CONTAINER_NAME", spec.name.clone()),
        ("CONTAINER_VMID", op.target.vmid.to_string()),
        ("CONTAINER_NODE", op.target.node.clone()),
        ("CONTAINER_REMOTE", op.target.remote.clone()),
        ("CONTAINER_TAGS", spec.tags.join(";")),
        ("TEMPLATE_APP", spec.template.clone().unwrap_or_default()),
        ("LXCD_OPERATION", marker.to_string()),
    ];
    match part {
        Part::Reach => {
            let inside =
                spec.parts.iter().any(|part| matches!(part, Part::Packages { .. } | Part::Script { .. }));
            all.push(("NEEDS", String::from(if inside { "init route dns" } else { "init" })));
            all.push(("DEADLINE", reach.as_secs().to_string()));
        }
        Part::Packages { manager, .. } => all.push(("MANAGER", manager.to_string())),
        Part::Script { name, seconds, .. } => {
            all.push(("SCRIPT_NAME", name.clone()));
            // Ended inside it takes with it what it began; the node's own clock is for a container that hangs.
            all.push(("SCRIPT_TIMEOUT", seconds.to_string()));
        }
        Part::Files { .. } | Part::Discover => {}
    }
    all
}

fn time(part: &Part, reach: Duration) -> Duration {
    match part {
        Part::Reach => reach + 3 * MINUTE,
        Part::Files { .. } => 10 * MINUTE,
        Part::Packages { .. } => 60 * MINUTE,
        Part::Script { seconds, .. } => Duration::from_secs(*seconds) + MINUTE,
        Part::Discover => 2 * MINUTE,
    }
}

/// How long a script may run: what a line `# timeout: 10m` near its top says, else half an hour. What cannot be is
/// refused at the import; templates that were imported before that are read as they were.
#[must_use]
pub fn script_time(text: &str) -> Duration {
    let said = timeouts(text).find_map(|(_, time)| crate::text::parse_duration(time).ok());
    said.filter(|time| time.as_secs() > 0).map_or(SCRIPT_TIME, |time| time.min(LONGEST))
}

/// The pieces of a template, in the order they are done in.
#[must_use]
pub fn parts(template: &Template) -> Vec<Part> {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut all = vec![Part::Reach];
    if !template.files.is_empty() {
        all.push(Part::Files { count: number(template.files.len()) });
    }
    for manager in Manager::ALL {
        let lists = template.packages.iter().filter(|list| list.manager == *manager);
        let count = lists.map(|list| list.items.len()).sum::<usize>();
        if count > 0 {
            all.push(Part::Packages { manager: *manager, count: number(count) });
        }
    }
    let of = number(template.scripts.len());
    all.extend(template.scripts.iter().zip(1..).map(|(script, place)| Part::Script {
        name: script.name.clone(),
        place,
        of,
        seconds: script_time(&script.text).as_secs(),
    }));
    all.push(Part::Discover);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_may_say_how_long_it_takes() {
        assert_eq!(script_time("#!/bin/sh\n# timeout: 10m\n"), Duration::from_secs(600));
        assert_eq!(script_time("#!/bin/sh\n#timeout:90\n"), Duration::from_secs(90));
        assert_eq!(script_time("echo"), SCRIPT_TIME);
        assert_eq!(script_time("# timeout: soon"), SCRIPT_TIME);
        assert_eq!(script_time("# timeout: 500ms"), SCRIPT_TIME, "0 would be without an end");
        assert_eq!(script_time("# timeout: 400d"), LONGEST);
    }
}
