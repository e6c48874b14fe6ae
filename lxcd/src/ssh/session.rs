//! One connection to one node: connect, check the host key, log in. Owns whom to believe and what is offered; must
//! not decide when to connect again.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use lxc_core::ports::JobError;
use parking_lot::Mutex;
use russh::client::{self, AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::{Algorithm, HashAlg};
use russh::keys::{
    Error as KeyError, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate, decode_secret_key,
};
use russh::{MethodSet, Preferred};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::access::{Access, Auth, HostKeyPin};
use super::prompt::Prompt;

/// For the TCP connection.
const CONNECT: Duration = Duration::from_secs(5);
/// For each of key exchange and log-in; a slow password check is part of it.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// An idle connection is looked after so often, and given up when that many looks stay without an answer.
const KEEP_ALIVE: (Duration, usize) = (Duration::from_secs(15), 3);
/// sshd hangs up after six keys (MaxAuthTries).
const MOST_KEYS: usize = 5;

static CONFIG: LazyLock<Arc<client::Config>> = LazyLock::new(|| {
    let preferred = Preferred::DEFAULT;
    // Signatures with SHA-1 prove nothing any more.
    let key: Vec<Algorithm> =
        preferred.key.iter().filter(|key| !matches!(key, Algorithm::Rsa { hash: None })).cloned().collect();
    Arc::new(client::Config {
        preferred: Preferred { key: Cow::Owned(key), ..preferred },
        keepalive_interval: Some(KEEP_ALIVE.0),
        keepalive_max: KEEP_ALIVE.1,
        nodelay: true,
        ..client::Config::default()
    })
});

/// Compares the host's key and remembers what it showed.
pub(super) struct HostKey {
    pinned: Option<HostKeyPin>,
    shown: Arc<Mutex<Option<String>>>,
}

impl client::Handler for HostKey {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else {
            return Ok(false);
        };
        let shown = key.fingerprint(HashAlg::Sha256).to_string();
        let same = self.pinned.as_ref().is_some_and(|pin| pin.as_str() == shown);
        *self.shown.lock() = Some(shown);
        Ok(same)
    }
}

/// The key a host shows. Nothing is told to it, not even a user.
///
/// # Errors
/// Why it cannot be had.
pub async fn host_key(host: &str, port: u16) -> Result<HostKeyPin, JobError> {
    let nobody = Access::new(host, port, "", Auth::Password(String::new().into()), None);
    match Session::connect(&nobody).await {
        Err(JobError::HostKeyUnknown { fingerprint }) => {
            HostKeyPin::parse(&fingerprint).map_err(JobError::Failed)
        }
        Err(error) => Err(error),
        Ok(_) => Err(JobError::Failed("it shows no host key".to_owned())),
    }
}

/// Whether a private key can be used to log in.
///
/// # Errors
/// Why not, without a word of it.
pub fn check_key(pem: &SecretString) -> Result<(), String> {
    read_key(pem).map(|_| ())
}

fn read_key(pem: &SecretString) -> Result<PrivateKey, String> {
    let key = decode_secret_key(pem.expose_secret(), None).map_err(|error| match error {
        KeyError::KeyIsEncrypted => "it has a passphrase".to_owned(),
        // The words of other errors may quote what is in the file.
        _ => "it cannot be read".to_owned(),
    })?;
    if key.is_encrypted() { Err("it has a passphrase".to_owned()) } else { Ok(key) }
}

/// A connection that is logged in.
pub(super) struct Session(pub(super) Handle<HostKey>);

impl Session {
    /// Connects and logs in, once.
    pub(super) async fn connect(access: &Access) -> Result<Self, JobError> {
        let away = |why: String| JobError::NotConnected(format!("no SSH connection to {access}: {why}"));
        let stream = match timeout(CONNECT, TcpStream::connect((access.host.as_str(), access.port))).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(away(error.to_string())),
            Err(_) => return Err(away(format!("nothing answers within {} s", CONNECT.as_secs()))),
        };
        // The server's side of a request is small: do not let it wait for more.
        stream.set_nodelay(true).map_err(|error| away(error.to_string()))?;
        let shown = Arc::new(Mutex::new(None));
        let handler = HostKey { pinned: access.host_key.clone(), shown: Arc::clone(&shown) };
        let connected =
            timeout(HANDSHAKE, client::connect_stream(CONFIG.clone(), Prompt(stream), handler)).await;
        let mut handle = match connected {
            Ok(Ok(handle)) => handle,
            failed => {
                let shown = shown.lock().take();
                return Err(match (shown, &access.host_key, failed) {
                    (Some(fingerprint), None, _) => JobError::HostKeyUnknown { fingerprint },
                    (Some(fingerprint), Some(pin), _) if pin.as_str() != fingerprint => {
                        JobError::HostKeyChanged { fingerprint }
                    }
                    (_, _, Ok(Err(error))) => away(error.to_string()),
                    _ => away(format!("no key exchange within {} s", HANDSHAKE.as_secs())),
                });
            }
        };
        match timeout(HANDSHAKE, log_in(&mut handle, access)).await {
            Ok(Ok(())) => Ok(Self(handle)),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(away(format!("no answer to the log-in within {} s", HANDSHAKE.as_secs()))),
        }
    }
}

async fn log_in(handle: &mut Handle<HostKey>, access: &Access) -> Result<(), JobError> {
    let (offered, accepted) = match &access.auth {
        Auth::Key(pem) => {
            let key = read_key(pem).map_err(|why| JobError::Refused(format!("the private key: {why}")))?;
            let offered = describe(&key.algorithm(), &key.fingerprint(HashAlg::Sha256).to_string());
            let hash = rsa_hash(handle, access, &key.algorithm()).await?;
            let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
            let result = handle.authenticate_publickey(&access.user, key).await;
            (offered, result.map_err(|error| broken(access, &error))?)
        }
        Auth::Password(password) => {
            let result = handle.authenticate_password(&access.user, password.expose_secret()).await;
            ("a password".to_owned(), result.map_err(|error| broken(access, &error))?)
        }
        Auth::Agent(socket) => return with_agent(handle, access, socket).await,
    };
    match accepted {
        AuthResult::Success => Ok(()),
        AuthResult::Failure { remaining_methods, .. } => Err(refused(access, &offered, &remaining_methods)),
    }
}

async fn with_agent(handle: &mut Handle<HostKey>, access: &Access, socket: &Path) -> Result<(), JobError> {
    let agent_says =
        |error: KeyError| JobError::Refused(format!("the SSH agent at {}: {error}", socket.display()));
    let mut agent = AgentClient::connect_uds(socket).await.map_err(agent_says)?;
    let keys = agent.request_identities().await.map_err(agent_says)?;
    let mut offered = Vec::new();
    let mut remaining = MethodSet::empty();
    for key in keys.into_iter().take(MOST_KEYS) {
        let AgentIdentity::PublicKey { key, .. } = key else {
            continue;
        };
        offered.push(describe(&key.algorithm(), &key.fingerprint(HashAlg::Sha256).to_string()));
        let hash = rsa_hash(handle, access, &key.algorithm()).await?;
        match handle.authenticate_publickey_with(&access.user, key, hash, &mut agent).await {
            Ok(AuthResult::Success) => return Ok(()),
            Ok(AuthResult::Failure { remaining_methods, .. }) => remaining = remaining_methods,
            Err(error) => return Err(JobError::Refused(format!("the SSH agent does not sign: {error}"))),
        }
        if handle.is_closed() {
            break;
        }
    }
    if offered.is_empty() {
        return Err(JobError::Refused(format!("the SSH agent at {} has no keys", socket.display())));
    }
    Err(refused(access, &offered.join(", "), &remaining))
}

/// What an RSA key is to sign with; nothing for other keys.
async fn rsa_hash(
    handle: &Handle<HostKey>,
    access: &Access,
    algorithm: &Algorithm,
) -> Result<Option<HashAlg>, JobError> {
    if !matches!(algorithm, Algorithm::Rsa { .. }) {
        return Ok(None);
    }
    let best = handle.best_supported_rsa_hash().await.map_err(|error| broken(access, &error))?;
    Ok(best.flatten().or(Some(HashAlg::Sha256)))
}

fn describe(algorithm: &Algorithm, fingerprint: &str) -> String {
    format!("the key {algorithm} {fingerprint}")
}

fn broken(access: &Access, error: &russh::Error) -> JobError {
    JobError::NotConnected(format!("the SSH connection to {access} broke off at the log-in: {error}"))
}

fn refused(access: &Access, offered: &str, remaining: &MethodSet) -> JobError {
    let accepted: Vec<&str> = remaining.iter().map(Into::into).collect();
    let accepted =
        if accepted.is_empty() { String::new() } else { format!("; it takes {}", accepted.join(", ")) };
    JobError::Refused(format!("{access} does not let us in with {offered}{accepted}"))
}
