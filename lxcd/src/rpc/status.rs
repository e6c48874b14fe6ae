//! Errors of a call as gRPC statuses: code, message and our [`Error`] as a detail (ARCHITECTURE.md, rule 18).
//! Owns the mapping; a failed operation is no status but data.

use lxc_core::error::{Code, Error, Exit};
use lxc_proto::v1;
use prost::Message;
use tonic::{Code as GrpcCode, Status};

use super::convert;

/// `google.rpc.Status`, as gRPC puts it into `grpc-status-details-bin`.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// The one type of detail there is.
const DETAIL: &str = "type.googleapis.com/lxc.v1.Error";

/// An error as a status.
pub(super) fn status(error: &Error) -> Status {
    let code = grpc_code(error);
    let detail: v1::Error = convert::error(error);
    let any = prost_types::Any { type_url: DETAIL.to_owned(), value: detail.encode_to_vec() };
    let details =
        RpcStatus { code: code as i32, message: error.message.clone(), details: vec![any] }.encode_to_vec();
    Status::with_details(code, error.message.clone(), details.into())
}

fn grpc_code(error: &Error) -> GrpcCode {
    match error.exit() {
        Exit::Usage => GrpcCode::InvalidArgument,
        Exit::NotFound => GrpcCode::NotFound,
        Exit::Locked => GrpcCode::Aborted,
        Exit::Refused => GrpcCode::FailedPrecondition,
        Exit::Denied => GrpcCode::PermissionDenied,
        Exit::Unreachable => GrpcCode::Unavailable,
        Exit::NoDaemon if error.code == Code::ShuttingDown => GrpcCode::Unavailable,
        Exit::NoDaemon => GrpcCode::FailedPrecondition,
        _ if error.code == Code::DiskFull => GrpcCode::ResourceExhausted,
        _ => GrpcCode::Internal,
    }
}
