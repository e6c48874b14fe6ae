//! The other end of the socket, in plain types. Owns the calls and the conversion from the wire;
//! protobuf types stop here. Must not print, ask or decide.

mod buckets;
mod calls;
mod connect;
mod creates;
mod operations;
mod remotes;
mod services;
pub mod status;
mod templates;
pub mod view;

use std::path::{Path, PathBuf};
use std::time::Duration;

use lxc_core::error::{Error, Result};
use lxc_core::selector::Selection;
use lxc_proto::v1 as pb;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

pub use calls::{AuditFilter, ContainerChunk, ContainerStream, EventFilter, Resolved, Stream};
pub use connect::socket_path;
pub use creates::CreateOrder;
pub use operations::{OperationFilter, Order, Submitted, WatchEnd, WatchItem, WatchStream};
pub use remotes::{NewRemote, Probed, RemoteChange, SshChange, Trusted};
pub use templates::Imported;

/// Says which client this is, so that the daemon can refuse one it does not understand without a call of
/// its own for that.
const VERSION_KEY: &str = "lxc-client-version";

/// Unary calls answer in time or not at all; those that ask Proxmox have its own time-outs behind them.
const CALL_DEADLINE: Duration = Duration::from_secs(120);

/// A connection to one daemon.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    path: PathBuf,
}

impl Client {
    /// Connects to the socket.
    ///
    /// # Errors
    /// LXC0801, LXC0803 or LXC0604, each with its reason.
    pub async fn connect(path: &Path) -> Result<Self> {
        Ok(Self { channel: connect::connect(path).await?, path: path.to_owned() })
    }

    /// A new connection to the same socket.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn reconnect(&self) -> Result<Self> {
        Self::connect(&self.path).await
    }

    fn unary<T>(message: T) -> Request<T> {
        let mut request = Self::streaming(message);
        request.set_timeout(CALL_DEADLINE);
        request
    }

    fn streaming<T>(message: T) -> Request<T> {
        let mut request = Request::new(message);
        let version = AsciiMetadataValue::from_static(env!("CARGO_PKG_VERSION"));
        request.metadata_mut().insert(VERSION_KEY, version);
        request
    }

    /// What a call answered, or why it did not. A connection that broke is looked at once more, because
    /// the socket knows the reason better than HTTP/2 does.
    async fn settle<T>(&self, answer: std::result::Result<Response<T>, Status>) -> Result<T> {
        match answer {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => Err(self.explain(&status).await),
        }
    }

    async fn explain(&self, status: &Status) -> Error {
        let error = status::error_from_status(status);
        if status::is_lost(status)
            && error.code == lxc_core::error::Code::DaemonUnreachable
            && let Err(reason) = connect::connect(&self.path).await
        {
            return reason;
        }
        error
    }
}

fn selection_to_wire(selection: &Selection) -> pb::Selection {
    pb::Selection {
        targets: selection.targets.clone(),
        labels: selection.labels.clone(),
        all: selection.all,
        remote: selection.remote.clone().unwrap_or_default(),
    }
}
