//! The grammar of fault specifications.

use std::str::FromStr;

use super::{Fault, Target, TaskFault, WireFault};

/// What is wrong with a specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("bad fault '{spec}': {problem}")]
pub struct FaultError {
    /// The whole specification.
    pub spec: String,
    /// What is wrong with it.
    pub problem: String,
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(spec: &str) -> Result<Self, FaultError> {
        parse(spec).map_err(|problem| FaultError { spec: spec.to_owned(), problem })
    }
}

fn parse(spec: &str) -> Result<Fault, String> {
    let (head, rest) = spec.split_once(':').map_or((spec, ""), |(h, r)| (h, r));
    let (name, count) = match head.split_once('#') {
        Some((name, "*")) => (name, None),
        Some((name, count)) => (name, Some(number(count)?)),
        None => (head, Some(1)),
    };
    let wire = |fault: WireFault| request(rest, count, fault);
    let (target, left) = match name {
        "lost-before" => wire(WireFault::LostBefore)?,
        "lost-after" => wire(WireFault::LostAfter)?,
        "reset-body" => wire(WireFault::ResetBody)?,
        "truncated" => wire(WireFault::Truncated)?,
        "html" => wire(WireFault::Html)?,
        "wrong-types" => wire(WireFault::WrongTypes)?,
        "huge" => wire(WireFault::Huge)?,
        "non-ascii" => wire(WireFault::NonAscii)?,
        "595" => wire(WireFault::Refused)?,
        "596" => wire(WireFault::Broken)?,
        "slow" => slow(rest, count)?,
        "http500" => {
            let [method, glob, text] = fields(rest, "METHOD:GLOB:TEXT")?;
            (target(method, glob, WireFault::Failed(text.to_owned())), count)
        }
        "task-fail" => {
            let [verb, id, text] = fields(rest, "VERB:ID:TEXT")?;
            (task(verb, id, TaskFault::Fail(text.to_owned())), count)
        }
        "task-warn" => {
            let [verb, id, text] = fields(rest, "VERB:ID:TEXT")?;
            (task(verb, id, TaskFault::Warn(text.to_owned())), count)
        }
        "task-hang" => {
            let [verb, id] = fields(rest, "VERB:ID")?;
            (task(verb, id, TaskFault::Hang), count)
        }
        "lock-timeout" => {
            let (vmid, left) = counted(rest, count);
            (Target::LockTimeout(number(vmid)?), left)
        }
        "transient-list" if rest.is_empty() => (Target::TransientList, count),
        "transient-list" => (Target::TransientList, Some(number(rest)?)),
        "list-lag" => (Target::ListLag(u64::from(number(rest)?)), None),
        "log-rotate" => (Target::LogRotate, Some(1)),
        other => return Err(format!("'{other}' is no fault")),
    };
    if left == Some(0) {
        return Err("a count of 0 would never fire".to_owned());
    }
    Ok(Fault { spec: spec.to_owned(), left, target })
}

fn request(rest: &str, count: Option<u32>, fault: WireFault) -> Result<(Target, Option<u32>), String> {
    let [method, glob] = fields(rest, "METHOD:GLOB[:COUNT]")?;
    let (glob, left) = counted(glob, count);
    Ok((target(method, glob, fault), left))
}

fn slow(rest: &str, count: Option<u32>) -> Result<(Target, Option<u32>), String> {
    let [method, glob, duration] = fields(rest, "METHOD:GLOB:DURATION[:COUNT]")?;
    let (duration, left) = counted(duration, count);
    let ms = match (duration.strip_suffix("ms"), duration.strip_suffix('s')) {
        (Some(ms), _) => u64::from(number(ms)?),
        (_, Some(s)) => u64::from(number(s)?) * 1000,
        _ => return Err(format!("'{duration}' is no duration: write 500ms or 3s")),
    };
    Ok((target(method, glob, WireFault::Slow(ms)), left))
}

fn target(method: &str, glob: &str, fault: WireFault) -> Target {
    Target::Request { method: method.to_owned(), glob: glob.to_owned(), fault }
}

fn task(verb: &str, id: &str, fault: TaskFault) -> Target {
    Target::Task { verb: verb.to_owned(), id: id.to_owned(), fault }
}

/// Splits into exactly N fields; the last keeps its colons.
fn fields<'a, const N: usize>(rest: &'a str, form: &str) -> Result<[&'a str; N], String> {
    let parts: Vec<&str> = rest.splitn(N, ':').collect();
    match <[&str; N]>::try_from(parts) {
        Ok(fields) if fields.iter().all(|f| !f.is_empty()) => Ok(fields),
        _ => Err(format!("expected {form} after the name")),
    }
}

/// Takes a count from the end.
fn counted(text: &str, count: Option<u32>) -> (&str, Option<u32>) {
    match text.rsplit_once(':').map(|(head, n)| (head, n.parse())) {
        Some((head, Ok(n))) => (head, Some(n)),
        _ => (text, count),
    }
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("'{text}' is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form_parses() {
        let specs = [
            "lost-before:POST:*/status/start:1",
            "lost-after#3:POST:*",
            "595:GET:/nodes/*",
            "596:POST:*",
            "reset-body:GET:*",
            "slow:GET:/version:500ms",
            "slow:GET:/version:3s:2",
            "http500:GET:/version:some: text",
            "html:*:*",
            "truncated:GET:*",
            "wrong-types:GET:*",
            "huge:GET:*",
            "non-ascii:GET:*",
            "task-fail:start:104:text",
            "task-hang:stop:*",
            "task-warn:start:104:text",
            "list-lag:12",
            "transient-list",
            "transient-list:2",
            "log-rotate",
            "lock-timeout:104",
        ];
        for spec in specs {
            assert!(spec.parse::<Fault>().is_ok(), "{spec}");
        }
    }

    #[test]
    fn faults_in_faults_are_named() {
        let problem = |spec: &str| spec.parse::<Fault>().expect_err(spec).problem;
        assert_eq!(problem("bogus:x"), "'bogus' is no fault");
        assert_eq!(problem("lost-before:POST"), "expected METHOD:GLOB[:COUNT] after the name");
        assert_eq!(problem("slow:GET:*:5"), "'5' is no duration: write 500ms or 3s");
        assert_eq!(problem("lost-before#x:GET:*"), "'x' is no number");
    }
}
