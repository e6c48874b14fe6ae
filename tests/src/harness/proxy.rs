//! A wire between lxcd and one of its servers that can become slow, hang or break. Owns what it does with bytes;
//! must not understand them.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::wait::until;

/// What becomes of bytes, both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// They pass.
    Open,
    /// They pass after so long.
    Slow(Duration),
    /// They are kept until that changes: nobody is told that nobody hears him.
    Held,
    /// Connections are cut, and new ones too.
    Cut,
}

/// Where something listens.
#[derive(Debug, Clone)]
enum Place {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    fn open(place: &Place) -> io::Result<Self> {
        match place {
            Place::Unix(path) => UnixStream::connect(path).map(Self::Unix),
            Place::Tcp(address) => TcpStream::connect(address).map(Self::Tcp),
        }
    }

    fn another(&self) -> io::Result<Self> {
        match self {
            Self::Unix(stream) => stream.try_clone().map(Self::Unix),
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp),
        }
    }

    fn shut(&self, how: Shutdown) {
        // Shut already is as good.
        let _ = match self {
            Self::Unix(stream) => stream.shutdown(how),
            Self::Tcp(stream) => stream.shutdown(how),
        };
    }

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(bytes),
            Self::Tcp(stream) => stream.read(bytes),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.write_all(bytes),
            Self::Tcp(stream) => stream.write_all(bytes),
        }
    }
}

struct State {
    wire: Wire,
    /// Who waits with bytes in his hands.
    waiting: usize,
    /// Bytes that have passed, both ways.
    carried: usize,
    open: Vec<Stream>,
    over: bool,
}

struct Shared {
    to: Place,
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    /// Waits until bytes may pass; false = they never will.
    fn pass(&self) -> bool {
        let begun = Instant::now();
        let mut state = self.state.lock();
        state.waiting += 1;
        let passes = loop {
            match state.wire {
                Wire::Open => break true,
                Wire::Cut => break false,
                Wire::Held => self.changed.wait(&mut state),
                Wire::Slow(long) if begun.elapsed() >= long => break true,
                Wire::Slow(long) => {
                    self.changed.wait_until(&mut state, begun + long);
                }
            }
        };
        state.waiting -= 1;
        passes
    }

    fn accepted(self: &Arc<Self>, client: Stream) -> io::Result<()> {
        let mut state = self.state.lock();
        if state.wire == Wire::Cut {
            return Ok(());
        }
        let server = Stream::open(&self.to)?;
        for (from, to) in [(client.another()?, server.another()?), (server.another()?, client.another()?)] {
            let shared = self.clone();
            thread::spawn(move || shared.pump(from, to));
        }
        state.open.extend([client, server]);
        Ok(())
    }

    fn pump(&self, mut from: Stream, mut to: Stream) {
        let mut bytes = vec![0; 16 << 10];
        loop {
            match from.read(&mut bytes) {
                Ok(0) | Err(_) => return to.shut(Shutdown::Write),
                Ok(length) if self.pass() && to.write(&bytes[..length]).is_ok() => {
                    self.state.lock().carried += length;
                }
                Ok(_) => {
                    from.shut(Shutdown::Both);
                    return to.shut(Shutdown::Both);
                }
            }
        }
    }
}

/// A running wire; cut when dropped.
pub struct Proxy {
    shared: Arc<Shared>,
    here: Place,
    _directory: Option<tempfile::TempDir>,
}

impl Proxy {
    /// To a Unix socket, from one of the same name in a directory of its own.
    ///
    /// # Panics
    /// When it cannot listen.
    #[must_use]
    pub fn unix(to: &Path) -> Self {
        // Short, since a socket path may have 107 bytes.
        let directory = tempfile::Builder::new().prefix("lxcd-wire-").tempdir_in("/tmp").expect("made");
        let path = directory.path().join(to.file_name().expect("a socket"));
        let listener = UnixListener::bind(&path).expect("bound");
        Self::run(Place::Unix(to.to_owned()), Place::Unix(path), Some(directory), move || {
            listener.accept().map(|(stream, _)| Stream::Unix(stream))
        })
    }

    /// To a port, from one of 127.0.0.1.
    ///
    /// # Panics
    /// When it cannot listen.
    #[must_use]
    pub fn tcp(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let here = Place::Tcp(listener.local_addr().expect("bound"));
        Self::run(Place::Tcp(to), here, None, move || {
            listener.accept().map(|(stream, _)| Stream::Tcp(stream))
        })
    }

    fn run(
        to: Place,
        here: Place,
        directory: Option<tempfile::TempDir>,
        accept: impl Fn() -> io::Result<Stream> + Send + 'static,
    ) -> Self {
        let state = State { wire: Wire::Open, waiting: 0, carried: 0, open: Vec::new(), over: false };
        let shared = Arc::new(Shared { to, state: Mutex::new(state), changed: Condvar::new() });
        let all = shared.clone();
        thread::spawn(move || {
            while let Ok(client) = accept() {
                if all.state.lock().over {
                    return;
                }
                // A server that is away: the client is cut off, as it would be without us.
                let _ = all.accepted(client);
            }
        });
        Self { shared, here, _directory: directory }
    }

    /// The directory its socket is in, or its address.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.here {
            Place::Unix(path) => path.parent().unwrap_or(path).display().to_string(),
            Place::Tcp(address) => address.to_string(),
        }
    }

    /// Changes it, for connections that there are too.
    pub fn set(&self, wire: Wire) {
        let mut state = self.shared.state.lock();
        state.wire = wire;
        if wire == Wire::Cut {
            for stream in state.open.drain(..) {
                stream.shut(Shutdown::Both);
            }
        }
        self.shared.changed.notify_all();
    }

    /// Bytes that have passed, both ways.
    #[must_use]
    pub fn carried(&self) -> usize {
        self.shared.state.lock().carried
    }

    /// Waits until so many hold bytes that do not pass.
    pub fn wait_held(&self, many: usize) {
        until("bytes to be held", || {
            let waiting = self.shared.state.lock().waiting;
            if waiting >= many { Ok(()) } else { Err(format!("{waiting} wait")) }
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Wire::Cut);
        self.shared.state.lock().over = true;
        // Whoever accepts has to hear of it.
        drop(Stream::open(&self.here));
    }
}
