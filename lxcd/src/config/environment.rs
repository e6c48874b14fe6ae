//! What the process was started with: user, XDG directories, overrides. Owns where the file is looked
//! for and what holds without one; reads the environment once, so that tests can bring their own.

use std::path::{Path, PathBuf};

/// The file below a configuration directory.
const FILE: &str = "lxcd/config.toml";

/// The surroundings of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Effective uid.
    pub uid: u32,
    /// `$HOME`
    pub home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`
    pub config_home: Option<PathBuf>,
    /// `$XDG_STATE_HOME`
    pub state_home: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR`
    pub runtime_dir: Option<PathBuf>,
    /// `$LXCD_STATE_DIR`: wins over the file; for tests and for a second daemon on one machine.
    pub state_dir: Option<PathBuf>,
    /// `$LXCD_SOCKET`: wins over the file.
    pub socket: Option<PathBuf>,
    /// Where the system keeps its configuration: `/etc`.
    pub system: PathBuf,
}

impl Environment {
    /// The real one.
    #[must_use]
    pub fn current() -> Self {
        // The XDG specification: relative paths are to be ignored, and an empty one is none.
        let path = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        Self {
            uid: nix::unistd::geteuid().as_raw(),
            home: path("HOME"),
            config_home: path("XDG_CONFIG_HOME"),
            state_home: path("XDG_STATE_HOME"),
            runtime_dir: path("XDG_RUNTIME_DIR"),
            state_dir: path("LXCD_STATE_DIR"),
            socket: path("LXCD_SOCKET"),
            system: PathBuf::from("/etc"),
        }
    }

    fn below_home(&self, own: Option<&PathBuf>, rest: &str) -> Option<PathBuf> {
        own.cloned().or_else(|| self.home.as_ref().map(|home| home.join(rest)))
    }

    /// Files to try when none is named, first one first. Root looks at the system's only, so that
    /// `sudo lxcd` does not run with somebody's own.
    #[must_use]
    pub fn candidates(&self) -> Vec<PathBuf> {
        let own = self.below_home(self.config_home.as_ref(), ".config").filter(|_| self.uid != 0);
        own.iter().chain([&self.system]).map(|directory| directory.join(FILE)).collect()
    }

    /// Where the state is kept unless the file says otherwise.
    #[must_use]
    pub fn default_state_dir(&self) -> PathBuf {
        let own = self.below_home(self.state_home.as_ref(), ".local/state").filter(|_| self.uid != 0);
        own.map_or_else(|| PathBuf::from("/var/lib/lxcd"), |directory| directory.join("lxcd"))
    }

    /// Where the socket is unless the file says otherwise; lxcctl looks there too.
    #[must_use]
    pub fn default_socket(&self) -> PathBuf {
        if self.uid == 0 {
            return PathBuf::from("/run/lxcd/lxcd.sock");
        }
        let runtime = self.runtime_dir.clone();
        let runtime = runtime.unwrap_or_else(|| Path::new("/run/user").join(self.uid.to_string()));
        runtime.join("lxcd/lxcd.sock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_others_live_in_different_places() {
        let root =
            Environment { home: Some("/root".into()), system: "/etc".into(), ..Environment::default() };
        assert_eq!(root.candidates(), [PathBuf::from("/etc/lxcd/config.toml")]);
        assert_eq!(root.default_state_dir(), Path::new("/var/lib/lxcd"));
        assert_eq!(root.default_socket(), Path::new("/run/lxcd/lxcd.sock"));

        let ops = Environment { uid: 1000, home: Some("/home/ops".into()), ..root };
        assert_eq!(ops.candidates()[0], Path::new("/home/ops/.config/lxcd/config.toml"));
        assert_eq!(ops.default_state_dir(), Path::new("/home/ops/.local/state/lxcd"));
        assert_eq!(ops.default_socket(), Path::new("/run/user/1000/lxcd/lxcd.sock"));

        let xdg = Environment {
            config_home: Some("/c".into()),
            state_home: Some("/s".into()),
            runtime_dir: Some("/r".into()),
            ..ops
        };
        assert_eq!(xdg.candidates()[0], Path::new("/c/lxcd/config.toml"));
        assert_eq!(xdg.default_state_dir(), Path::new("/s/lxcd"));
        assert_eq!(xdg.default_socket(), Path::new("/r/lxcd/lxcd.sock"));
    }
}
