//! gRPC statuses and wire errors on their way to `lxc_core::error::Error`. Owns that mapping; must not
//! invent advice the daemon could have given.

use lxc_core::error::{Code, Error, Try};
use lxc_proto::v1 as pb;
use prost::Message as _;
use tonic::{Code as GrpcCode, Status};

const DETAIL: &str = "type.googleapis.com/lxc.v1.Error";

/// `google.rpc.Status`, as far as it is needed.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// The error of a call.
#[must_use]
pub fn error_from_status(status: &Status) -> Error {
    if let Some(error) = detail(status) {
        return error;
    }
    let said = status.message();
    match status.code() {
        GrpcCode::Unimplemented => Error::new(Code::VersionMismatch, "lxcd does not know this call")
            .because(format!("lxcctl is {}, lxcd is older or built without it", env!("CARGO_PKG_VERSION")))
            .hint("lxcctl daemon status"),
        _ if hangs(status) => Error::new(Code::DaemonUnreachable, "lxcd does not answer")
            .because("it is there, but gives no answer to a ping: stopped, or its machine is overloaded")
            .hint_noted("sudo systemctl restart lxcd", "operations go on where they were"),
        _ if is_lost(status) => unreachable(if said.is_empty() { "the connection was lost" } else { said }),
        GrpcCode::DeadlineExceeded => unreachable("no answer in time"),
        code => Error::new(Code::Internal, "lxcd answered with a fault of its own")
            .because(format!("{code:?}: {said}"))
            .hint("lxcctl daemon status"),
    }
}

/// True when the connection went away and not the call was refused.
#[must_use]
pub fn is_lost(status: &Status) -> bool {
    detail(status).is_none_or(|error| error.code == Code::ShuttingDown)
        && match status.code() {
            GrpcCode::Unavailable => true,
            // A broken HTTP/2 connection surfaces as Unknown, Internal or Cancelled with a source behind it.
            GrpcCode::Unknown | GrpcCode::Internal | GrpcCode::Cancelled => {
                std::error::Error::source(status).is_some()
            }
            _ => false,
        }
}

/// True when the pings of `connect` were not answered. hyper has no type for that, only words.
fn hangs(status: &Status) -> bool {
    let source = std::error::Error::source(status);
    std::iter::successors(source, |error| error.source())
        .any(|error| error.to_string().contains("keep-alive timed out"))
}

fn unreachable(why: &str) -> Error {
    Error::new(Code::DaemonUnreachable, "lxcd does not answer").because(why).hint("lxcctl daemon status")
}

fn detail(status: &Status) -> Option<Error> {
    let rpc = RpcStatus::decode(status.details()).ok()?;
    let any = rpc.details.into_iter().find(|any| any.type_url == DETAIL)?;
    pb::Error::decode(any.value.as_slice()).ok().map(error_from_wire)
}

/// An error as it came over the wire. A code this client does not know keeps its exit code's meaning as
/// far as its digits tell.
#[must_use]
pub fn error_from_wire(wire: pb::Error) -> Error {
    let text = |text: String| Some(text).filter(|text| !text.is_empty());
    let (code, mut why) = match wire.code.parse() {
        Ok(code) => (code, wire.why),
        Err(_) => {
            let mut why = wire.why;
            why.push(format!("lxcd calls it {}, which this lxcctl does not know", wire.code));
            (nearest_code(&wire.code), why)
        }
    };
    why.retain(|line| !line.is_empty());
    Error {
        code,
        message: wire.message,
        why,
        tries: wire.tries.into_iter().map(|step| Try { command: step.command, note: step.note }).collect(),
        target: text(wire.target),
        operation_id: text(wire.operation_id),
        pve_message: text(wire.pve_message),
    }
}

fn nearest_code(text: &str) -> Code {
    let class = text.get(..5).unwrap_or_default();
    Code::ALL
        .iter()
        .copied()
        .find(|code| text.starts_with("LXC") && code.as_str().starts_with(class))
        .unwrap_or(Code::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detail_wins_over_the_status() {
        let wire = pb::Error { code: "LXC0401".into(), message: "locked".into(), ..Default::default() };
        let any = prost_types::Any { type_url: DETAIL.into(), value: wire.encode_to_vec() };
        let details = RpcStatus { details: vec![any] }.encode_to_vec();
        let status = Status::with_details(GrpcCode::Unavailable, "x", details.into());
        assert_eq!(error_from_status(&status).code, Code::Locked);
        assert!(!is_lost(&status));
    }

    #[test]
    fn a_bare_status_maps_sensibly() {
        assert_eq!(error_from_status(&Status::unavailable("gone")).code, Code::DaemonUnreachable);
        assert_eq!(error_from_status(&Status::unimplemented("")).code, Code::VersionMismatch);
        assert_eq!(error_from_status(&Status::internal("x")).code, Code::Internal);
        assert!(is_lost(&Status::unavailable("")));
    }

    #[test]
    fn an_unknown_code_keeps_its_class() {
        let wire = pb::Error { code: "LXC0499".into(), message: "new".into(), ..Default::default() };
        assert_eq!(error_from_wire(wire).exit().number(), 4);
        let wire = pb::Error { code: "nonsense".into(), ..Default::default() };
        assert_eq!(error_from_wire(wire).code, Code::Internal);
    }
}
