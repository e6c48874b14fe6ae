//! The wire between `lxcctl` and `lxcd`: messages, clients and servers generated from
//! `proto/lxc/v1/*.proto`. Owns no logic; what a message means is said in the `.proto` files.

/// Version 1 of the protocol.
pub mod v1 {
    #![expect(
        missing_docs,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        reason = "generated code"
    )]
    tonic::include_proto!("lxc.v1");
}

/// The compiled descriptors, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));
