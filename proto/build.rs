//! Compiles `proto/lxc/v1/*.proto` with protox, so that no `protoc` has to be installed.

use std::path::PathBuf;

use prost::Message as _;

const FILES: [&str; 10] = [
    "lxc/v1/common.proto",
    "lxc/v1/container.proto",
    "lxc/v1/event.proto",
    "lxc/v1/operation.proto",
    "lxc/v1/remote.proto",
    "lxc/v1/daemon.proto",
    "lxc/v1/template.proto",
    "lxc/v1/bucket.proto",
    "lxc/v1/create.proto",
    "lxc/v1/services.proto",
];
/// What must never be printed by accident.
const SECRET: [&str; 2] = ["lxc.v1.Secret", "lxc.v1.RevealReply"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptor.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().skip_debug(SECRET).compile_fds(descriptors)?;
    Ok(())
}
