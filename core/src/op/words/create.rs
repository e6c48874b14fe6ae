//! The words of a create that cannot begin or did not come to its end.

use super::about;
use crate::error::{Code, Error};
use crate::op::state::Operation;

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
