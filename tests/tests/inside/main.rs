//! What runs inside a container, run in real root file systems: Debian's and one of busybox alone.

mod discover;
mod enter;
mod files;
mod job;
mod packages;
mod reach;
mod scripts;
mod shellcheck;
