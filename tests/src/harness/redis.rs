//! A Redis server of a test's own: on a Unix socket in a directory of its own, gone when the test is. Owns
//! its life and a raw connection to it, which stands for everybody else's scripts.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::wait::until;

/// A running (or stopped) server.
pub struct RedisServer {
    directory: tempfile::TempDir,
    options: Vec<String>,
    server: Option<Child>,
}

impl RedisServer {
    /// Starts one; None, said loudly, where Redis is not installed.
    ///
    /// # Panics
    /// When it is installed and does not start.
    #[must_use]
    pub fn start(options: &[&str]) -> Option<Self> {
        Self::make(|_| options.iter().map(|option| (*option).to_owned()).collect())
    }

    /// With options that may point into its directory.
    fn make(options: impl FnOnce(&Path) -> Vec<String>) -> Option<Self> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            // Seen in the output of every run that did not test Redis.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: no Redis server is installed (Debian: apt-get install redis-server)"
            );
            return None;
        }
        // Short, since a socket path may have 107 bytes.
        let directory = tempfile::Builder::new().prefix("lxcd-redis-").tempdir_in("/tmp").expect("made");
        let options = options(directory.path());
        let mut server = Self { directory, options, server: None };
        server.resume();
        Some(server)
    }

    /// One that also listens on 127.0.0.1, with TLS only, with this certificate and key; and its port. None, said
    /// loudly, where Redis is not installed.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn with_tls(certificate: &str, key: &str) -> Option<(Self, u16)> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("bound").port();
        drop(free);
        let server = Self::make(|directory| {
            let write = |name: &str, text: &str| {
                let path = directory.join(name);
                std::fs::write(&path, text).expect("written");
                path.display().to_string()
            };
            let (certificate, key) = (write("server.crt", certificate), write("server.key", key));
            let options = format!("--bind 127.0.0.1 --tls-port {port} --tls-auth-clients no");
            let files = ["--tls-cert-file".to_owned(), certificate, "--tls-key-file".to_owned(), key];
            options.split(' ').map(str::to_owned).chain(files).collect()
        });
        Some((server?, port))
    }

    /// What lxcd is configured with.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Its Unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    /// Its directory, where options may point to.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Kills it; what it held is gone.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("killed");
            server.wait().expect("reaped");
        }
    }

    /// Starts it again where it was, empty.
    ///
    /// # Panics
    /// When it does not start.
    pub fn resume(&mut self) {
        let log = self.directory.path().join("log");
        let server = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no"])
            .args(["--dir".as_ref(), self.directory.path().as_os_str()])
            .args(["--unixsocket".as_ref(), self.socket().as_os_str()])
            .args(["--logfile".as_ref(), log.as_os_str()])
            .args(&self.options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        self.server = Some(server);
        until("redis-server answers", || match self.ask(&["PING"]) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("{error}: {}", std::fs::read_to_string(&log).unwrap_or_default())),
        });
    }

    /// One command as somebody else, with the first line of its answer; of a string, the string.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn command(&self, words: &[&str]) -> String {
        self.ask(words).expect("an answer")
    }

    fn ask(&self, words: &[&str]) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(self.socket())?;
        // RESP: an array of strings that say how long they are.
        let mut wire = format!("*{}\r\n", words.len());
        for word in words {
            wire.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        stream.write_all(wire.as_bytes())?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        match line.strip_prefix('$').map(str::parse::<usize>) {
            Some(Ok(length)) => {
                let mut text = vec![0; length];
                reader.read_exact(&mut text)?;
                Ok(String::from_utf8_lossy(&text).into_owned())
            }
            // $-1: there is none.
            Some(Err(_)) => Ok(String::new()),
            None => Ok(line.trim_start_matches([':', '+']).to_owned()),
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
