//! `lxcctl create` where the way to the nodes is what matters: nodes apart from each other, passwords, containers that are
//! not reached, output without an end.

mod apart;
mod output;
mod password;
mod reach;
