//! Figures beside their aims (`make bench`): process time and memory of lxcctl, memory of lxcd, the time from the
//! end of a Proxmox task to lxcctl's, requests per operation. The simulator runs in this process in real time.
//!
//! Prints, asserts nothing: what a figure is worth depends on the machine.

#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lxc_tests::harness::binary::program;
use lxc_tests::pvesim::control::CtChange;
use lxc_tests::pvesim::model::Record;
use lxc_tests::pvesim::{Sim, SimConfig};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::Pid;
use tokio::runtime::Runtime;

const TOKEN: &str = "lxcd@pve!cli";
const SECRET: &str = "be9c4000-0000-4000-8000-000000000001";
/// Runs of each command line.
const RUNS: usize = 30;
/// Starts of one container each.
const STARTS: usize = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).is_some_and(|word| word == "--measure") {
        measure(&arguments[2..]);
        return;
    }
    println!("{:<44}{:>9}{:>9}{:>9}{:>10}{:>7}  PEAK", "FIGURE", "MIN", "MEDIAN", "MAX", "AIM", "RATIO");
    let version = Runs::of(None, &["-V"]);
    version.print("lxcctl -V", None);
    for (count, time, memory) in [(1_000, 15.0, 40.0), (10_000, 80.0, 120.0)] {
        let bench = Bench::start(count);
        let listing = bench.runs(&["ls"]);
        listing.print(&format!("lxcctl ls, {count} containers"), Some(time));
        bench
            .runs(&["ls", "-o", "json"])
            .print(&format!("lxcctl ls -o json, {count} containers"), Some(time));
        println!("  ls takes {:.1} times as long as -V", listing.median() / version.median());
        if count == 1_000 {
            starts(&bench);
        }
        bench.print_memory(count, memory);
    }
}

// ---- processes --------------------------------------------------------------------------------------------

/// Runs a command `RUNS` times and prints the times in microseconds, then the mean processor time, then the peak
/// memory in KiB. In a process
/// of its own: a child's peak memory counts from its parent's, and getrusage(2) knows all children only.
fn measure(arguments: &[String]) {
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

/// Process times in milliseconds, sorted, the mean processor time, and the highest peak memory in MB.
struct Runs {
    times: Vec<f64>,
    cpu: f64,
    peak: f64,
}

impl Runs {
    fn of(socket: Option<&Path>, arguments: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("own path"));
        command.arg("--measure").arg(program("lxcctl")).args(arguments);
        command.envs(socket.map(|socket| ("LXCCTL_SOCKET", socket)));
        let output = command.stderr(Stdio::inherit()).output().expect("measured");
        let text = String::from_utf8(output.stdout).expect("numbers");
        let mut figures: Vec<f64> = text.lines().map(|line| line.parse().expect("a number")).collect();
        let peak = figures.pop().expect("a peak") * 1024.0 / 1e6;
        let cpu = figures.pop().expect("a processor time") / 1000.0;
        let times = sorted(figures.into_iter().map(|micros| micros / 1000.0).collect());
        Self { times, cpu, peak }
    }

    fn median(&self) -> f64 {
        self.times[self.times.len() / 2]
    }

    fn print(&self, what: &str, aim: Option<f64>) {
        line(what, &self.times, "ms", aim, &format!("{:.1} MB, processor {:.1} ms", self.peak, self.cpu));
    }
}

fn sorted(mut figures: Vec<f64>) -> Vec<f64> {
    figures.sort_by(f64::total_cmp);
    figures
}

/// One line; the ratio is the median by the aim, so above 1 is too much.
fn line(what: &str, sorted: &[f64], unit: &str, aim: Option<f64>, more: &str) {
    let median = sorted[sorted.len() / 2];
    let figure = |value: f64| format!("{value:.1}{unit}");
    let (aim, ratio) = aim.map_or_else(
        || ("-".to_owned(), "-".to_owned()),
        |aim| (format!("≤ {aim}{unit}"), format!("{:.2}", median / aim)),
    );
    let (min, max) = (figure(sorted[0]), figure(sorted[sorted.len() - 1]));
    println!("{what:<44}{min:>9}{:>9}{max:>9}{aim:>10}{ratio:>7}  {more}", figure(median));
}

// ---- a world ----------------------------------------------------------------------------------------------

/// A simulated cluster of 20 nodes and an lxcd that knows it.
struct Bench {
    directory: tempfile::TempDir,
    daemon: Child,
    sim: Sim,
    _runtime: Runtime,
}

impl Bench {
    fn start(count: usize) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let nodes = (1..=20).map(|n| format!("pve{n}")).collect();
        let config = SimConfig { nodes, containers: count, ..SimConfig::default() };
        let sim =
            runtime.block_on(Sim::start(config.token(&format!("{TOKEN}={SECRET}")))).expect("a simulator");
        let directory = tempfile::tempdir().expect("a directory");
        let log = File::create(directory.path().join("lxcd.log")).expect("a log");
        let daemon = Command::new(program("lxcd"))
            .args(["--config", "/dev/null"])
            .env("LXCD_STATE_DIR", directory.path().join("state"))
            .env("LXCD_SOCKET", directory.path().join("lxcd.sock"))
            .stderr(log)
            .spawn()
            .expect("lxcd starts");
        let bench = Self { directory, daemon, sim, _runtime: runtime };
        bench.until("lxcd answers", || bench.lxcctl(&["daemon", "status"]).is_some());
        let secret = bench.directory.path().join("secret");
        std::fs::write(&secret, SECRET).expect("written");
        let (url, pin) = (bench.sim.url(), bench.sim.fingerprint());
        let secret = secret.to_str().expect("UTF-8");
        let add = ["remote", "add", "big", url, "--token-id", TOKEN, "--fingerprint", pin];
        bench.lxcctl(&[&add[..], &["--token-secret-file", secret]].concat()).expect("added");
        bench.until("all are listed", || {
            bench.lxcctl(&["ls", "-o", "name"]).is_some_and(|names| names.lines().count() == count)
        });
        bench
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("lxcd.sock")
    }

    fn runs(&self, arguments: &[&str]) -> Runs {
        Runs::of(Some(&self.socket()), arguments)
    }

    /// Its standard output, if it went well.
    fn lxcctl(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new(program("lxcctl"));
        command.args(arguments).env("LXCCTL_SOCKET", self.socket());
        let output = command.output().expect("lxcctl starts");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(60);
        while !done() {
            let log = std::fs::read_to_string(self.directory.path().join("lxcd.log")).unwrap_or_default();
            assert!(Instant::now() < end, "not within a minute: {what}\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn print_memory(&self, count: usize, aim: f64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.daemon.id())).expect("running");
        let megabytes = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key)).unwrap_or_default();
            line.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
                / 1e6
        };
        let peak = format!("{:.1} MB", megabytes("VmHWM"));
        line(&format!("lxcd's memory, {count} containers"), &[megabytes("VmRSS")], "MB", Some(aim), &peak);
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = kill(Pid::from_raw(self.daemon.id().cast_signed()), Signal::SIGTERM);
        let _ = self.daemon.wait();
    }
}

// ---- starts -----------------------------------------------------------------------------------------------

/// Starts stopped containers one after the other, each twice: how long its start takes is known by then.
fn starts(bench: &Bench) {
    let control = bench.sim.control();
    // What the inventory reads once about each container would be counted with them.
    bench.until("the inventory has read every config", || {
        control.reset_counters();
        // Somebody looks, so it goes round every ten seconds.
        bench.lxcctl(&["ls", "-q"]).expect("listed");
        std::thread::sleep(Duration::from_secs(12));
        !bench.sim.counters().by_class.keys().any(|class| class.ends_with("/config"))
    });
    // The first twelve have something special.
    let stopped = control.containers().into_iter().filter(|ct| !ct.running && ct.vmid >= 112);
    let numbers: Vec<u32> = stopped.map(|ct| ct.vmid).take(STARTS).collect();
    for (round, time, count) in [("first", None, None), ("next", Some(150.0), Some(6.0))] {
        let (mut delays, mut requests) = (Vec::new(), Vec::new());
        let mut classes: BTreeMap<String, u64> = BTreeMap::new();
        for vmid in &numbers {
            let (delay, own) = start(bench, *vmid);
            delays.push(delay);
            requests.push(own.iter().map(|(_, times)| *times as f64).sum());
            for (class, times) in own {
                *classes.entry(class).or_default() += times;
            }
            let off = CtChange { running: Some(false), ..CtChange::default() };
            control.change_container(*vmid, &off).expect("powered off");
        }
        line(&format!("{round} start: task end to lxcctl's exit"), &sorted(delays), "ms", time, "");
        line(&format!("{round} start: requests"), &sorted(requests), "", count, "");
        for (class, times) in classes {
            println!("  {:.2} {class}", times as f64 / numbers.len() as f64);
        }
    }
}

/// Starts one: milliseconds between the end of its task and lxcctl's, and what Proxmox was asked for it.
fn start(bench: &Bench, vmid: u32) -> (f64, Vec<(String, u64)>) {
    bench.sim.control().reset_counters();
    bench.lxcctl(&["start", &vmid.to_string(), "-q"]).expect("started");
    let now = bench.sim.world(|world| world.now());
    let counters = bench.sim.counters().by_class;
    let ledger = bench.sim.ledger();
    let task =
        ledger.iter().rev().find(|entry| matches!(entry.record, Record::TaskEnd { .. })).expect("a task");
    // What the inventory asks for, it asks for anyway.
    let own = counters.into_iter().filter(|(class, _)| class.contains("{vmid}") || class.contains("/tasks"));
    (now.saturating_sub(task.at_ms) as f64, own.collect())
}
