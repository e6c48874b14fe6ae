//! Jobs over SSH against a real OpenSSH server, with `lxcd::ssh` in this process.

mod cuts;
mod ends;
mod flood;
mod lab;
mod log_in;
mod once;
mod words;
