//! Figures beside their aims (`make bench`): the simulator runs in this process in real time, lxcd and lxcctl are
//! the real ones, built as they are installed. Owns which figures there are and in what order.
//!
//! Prints, asserts nothing: what a figure is worth depends on the machine.

#![expect(clippy::print_stdout, reason = "this is what it is for")]

mod create;
mod daemons;
mod fleet;
mod hour;
mod listing;
mod lone;
mod process;
mod settle;
mod table;
mod watchers;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if arguments.first().is_some_and(|word| word == "--measure") {
        process::measure(&arguments[1..]);
        return;
    }
    if arguments.iter().any(|word| word == "hour") {
        hour::run();
        return;
    }
    let parts: [(&str, fn()); 7] = [
        ("list", listing::run),
        ("lone", lone::run),
        ("fleet", fleet::run),
        ("node", fleet::one_node),
        ("watchers", watchers::run),
        ("daemons", daemons::run),
        ("create", create::run),
    ];
    table::head();
    for (name, run) in parts {
        if arguments.is_empty() || arguments.iter().any(|word| word == name) {
            run();
        }
    }
}
