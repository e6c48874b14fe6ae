//! Times and memory of processes. Owns the measuring; what is run is for the figures to say.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use lxc_tests::harness::binary::program;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::Pid;

use crate::table::{Aim, line};

/// Runs of each command line.
const RUNS: usize = 30;

/// Runs a command `RUNS` times and prints the times in microseconds, then the mean processor time, then the peak
/// memory in KiB. In a process of its own: a child's peak memory counts from its parent's, and getrusage(2) knows
/// all children only.
pub(crate) fn measure(arguments: &[String]) {
    let (command, arguments) = arguments.split_first().expect("--measure COMMAND [ARGUMENT…]");
    for _ in 0..RUNS {
        let began = Instant::now();
        let status = Command::new(command).args(arguments).stdout(Stdio::null()).status().expect("started");
        println!("{}", began.elapsed().as_micros());
        assert!(status.success(), "{command} {arguments:?}: {status}");
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("usage");
    let micros = |time: TimeVal| time.num_microseconds();
    println!("{}", (micros(usage.user_time()) + micros(usage.system_time())) / RUNS as i64);
    println!("{}", usage.max_rss());
}

/// Process times in milliseconds, the mean processor time, and the highest peak memory in MB.
pub(crate) struct Runs {
    times: Vec<f64>,
    cpu: f64,
    peak: f64,
}

impl Runs {
    /// Of `lxcctl` with these arguments.
    pub(crate) fn of(socket: Option<&Path>, arguments: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("own path"));
        command.arg("--measure").arg(program("lxcctl")).args(arguments);
        command.envs(socket.map(|socket| ("LXCCTL_SOCKET", socket)));
        let output = command.stderr(Stdio::inherit()).output().expect("measured");
        let text = String::from_utf8(output.stdout).expect("numbers");
        let mut figures: Vec<f64> = text.lines().map(|line| line.parse().expect("a number")).collect();
        let peak = figures.pop().expect("a peak") * 1024.0 / 1e6;
        let cpu = figures.pop().expect("a processor time") / 1000.0;
        Self { times: figures.into_iter().map(|micros| micros / 1000.0).collect(), cpu, peak }
    }

    /// Their line.
    pub(crate) fn print(&self, what: &str, aim: Aim) {
        let more = format!("{:.1} MB, processor {:.1} ms", self.peak, self.cpu);
        line(what, &self.times, "ms", aim, &more);
    }
}

/// A process's memory in MB: what it holds now, and the most it ever held.
pub(crate) fn memory(process: Pid) -> (f64, f64) {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("running");
    let megabytes = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0 / 1e6
    };
    (megabytes("VmRSS"), megabytes("VmHWM"))
}

/// The processor time a process has used, in seconds.
pub(crate) fn processor(process: Pid) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("running");
    // proc_pid_stat(5): behind the name in parentheses, utime and stime are the 12th and 13th field, in ticks.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().expect("a number")).sum::<f64>() / 100.0
}
