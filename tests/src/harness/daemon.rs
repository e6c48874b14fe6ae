//! The real `lxcd`: its directory, its process, its log.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::binary::program;
use super::run::Cli;
use super::wait::until;

/// How much faster than real lxcd runs, as fast as the simulator.
pub const SCALE: u32 = 50;

/// An lxcd with a state directory of its own.
#[derive(Debug)]
pub struct Daemon {
    directory: PathBuf,
    child: Option<Child>,
    scale: u32,
    wrapper: Vec<OsString>,
    environment: Vec<(String, OsString)>,
}

impl Daemon {
    /// One in `directory` that is not running yet; `config` is added to its configuration.
    #[must_use]
    pub fn new(directory: &Path, config: &str) -> Self {
        let daemon = Self {
            directory: directory.to_owned(),
            child: None,
            scale: SCALE,
            wrapper: Vec::new(),
            environment: Vec::new(),
        };
        std::fs::create_dir_all(directory).expect("made");
        daemon.configure(config);
        daemon
    }

    /// Writes its configuration anew.
    pub fn configure(&self, more: &str) {
        let text = format!(
            "state_dir = \"{}\"\nsocket = \"{}\"\n{more}\n",
            self.state().display(),
            self.socket().display()
        );
        std::fs::write(self.config(), text).expect("written");
    }

    /// How much faster than real it runs, from its next start on.
    pub fn scale(&mut self, scale: u32) {
        self.scale = scale;
    }

    /// The same, run by another program, from its next start on.
    pub fn under(&mut self, wrapper: &[&str]) {
        self.wrapper = wrapper.iter().map(OsString::from).collect();
    }

    /// A variable of its next start.
    pub fn env(&mut self, name: &str, value: impl Into<OsString>) {
        self.environment.push((name.to_owned(), value.into()));
    }

    /// Its configuration file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.directory.join("config.toml")
    }

    /// Its state directory.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.directory.join("state")
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.join("run/lxcd.sock")
    }

    /// Everything it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.directory.join("lxcd.log")
    }

    /// The command that runs it, with more arguments.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut words: Vec<OsString> = self.wrapper.clone();
        words.push(program("lxcd").into());
        words.extend(["--config".into(), self.config().into_os_string()]);
        words.extend(arguments.iter().map(OsString::from));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command
    }

    /// Runs it with arguments that end by themselves, or into an error.
    #[must_use]
    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("lxcd starts")
    }

    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// If it ends instead.
    pub fn start(&mut self) {
        self.launch();
        let cli = Cli::new(&self.socket());
        until("lxcd to answer", || {
            let child = self.child.as_mut().expect("started");
            if let Some(status) = child.try_wait().expect("a child of ours") {
                panic!("lxcd ended with {status}:\n{}", self.log());
            }
            let run = cli.run("daemon status");
            if run.err.contains("LXC08") { Err(format!("{run}\n{}", self.log())) } else { Ok(()) }
        });
    }

    /// Starts it without waiting.
    pub fn launch(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.log_file()).expect("a log");
        let mut command = self.command(&["--time-scale", &self.scale.to_string()]);
        command.stdout(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().expect("lxcd starts"));
    }

    /// Its process.
    ///
    /// # Panics
    /// If it does not run.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.as_ref().expect("running").id().cast_signed())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("signalled");
    }

    /// Ends it as systemd does, and waits for its end.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.ended()
    }

    /// Ends it as a power failure does.
    pub fn kill(&mut self) -> ExitStatus {
        self.signal(Signal::SIGKILL);
        self.ended()
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("running");
        until("the end of lxcd", || {
            child.try_wait().expect("a child of ours").ok_or_else(|| format!("running:\n{}", self.log()))
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Ended already is as good.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
