//! The words of a create that cannot begin or did not come to its end.

use super::about;
use crate::create::Download;
use crate::error::{Code, Error};
use crate::op::state::Operation;

/// Lines of a task's log that say why.
const LINES: usize = 2;
/// Nobody knows of the call.
pub(in crate::op) const NO_TRACE: &str = "the answer was lost twice, and Proxmox lists no task for it";
/// Proxmox says OK, and is contradicted by its own list.
pub(in crate::op) const NOT_LISTED: &str = "Proxmox says OK, and does not list it on that storage";

/// The OS image did not come to its storage; `tail` = the last lines of its task.
pub(in crate::op) fn not_downloaded(
    op: &Operation,
    download: &Download,
    why: &str,
    tail: &[String],
) -> Error {
    let Download { storage, file } = download;
    let node = &op.target.node;
    let told = |line: &&String| !line.trim().is_empty() && !line.contains(why) && !line.starts_with("TASK ");
    let said: Vec<&String> = tail.iter().filter(told).collect();
    let mut error =
        about(Code::DownloadFailed, &op.target, format!("{file} did not come to {storage} on {node}"))
            .because(why.to_owned())
            .hint_noted(format!("lxcctl op retry {}", op.id.short()), "tries it again")
            .hint_noted(
                format!("pveam download {storage} {file}"),
                format!("on {node}, to see it for yourself"),
            )
            .operation(op.id);
    error.why.extend(said[said.len().saturating_sub(LINES)..].iter().map(|line| line.trim().to_owned()));
    error
}

/// Somebody has the number that was asked for.
pub(in crate::op) fn vmid_taken(op: &Operation) -> Error {
    let vmid = op.target.vmid;
    about(Code::VmidTaken, &op.target, format!("vmid {vmid} is taken"))
        .because(format!("Proxmox has a guest {vmid}; our token may not be allowed to see it"))
        .hint_noted("{line} --vmid auto", "takes the first free one")
}

/// Something is there with the lock of its making, and nobody makes it any more.
pub(in crate::op) fn stuck(op: &Operation) -> Error {
    let (vmid, node) = (op.target.vmid, &op.target.node);
    about(Code::OutcomeUnknown, &op.target, format!("{} was left half made", op.target.label()))
        .because(format!("it carries the lock 'create', and no task on {node} works on it any more"))
        .hint_noted(
            format!("pct unlock {vmid} && pct destroy {vmid}"),
            format!("on {node}; then create it anew"),
        )
        .hint_noted(format!("lxcctl op resolve {} --as failed", op.id.short()), "afterwards")
        .operation(op.id)
}
