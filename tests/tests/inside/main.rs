//! What runs inside a container, run in real root file systems: Debian's and one of busybox alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod discover;
mod dnf;
mod enter;
mod files;
mod job;
mod packages;
mod pip;
mod reach;
mod scripts;
mod shellcheck;
