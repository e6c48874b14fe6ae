//! Making a container: what was wished, from where; what the site has; what is to be made, and which pieces follow.
//! Pure. The operation that does it is `op`'s; what runs inside the container is `provision`'s.

mod clash;
mod download;
mod image;
mod image_check;
mod network;
mod part;
mod place;
mod pool;
mod preflight;
mod privileges;
mod same;
mod settle;
mod site;
mod spec;
mod values;
mod wish;

pub use clash::{Clash, clash};
pub use download::Download;
pub use image::{file as image_file, matches as image_matches, resolve as resolve_image};
pub use network::{Addressing, Network, parse_ip, parse_ip6};
pub use part::{Part, bare_parts};
pub use place::{Nearness, Placing, place};
pub use preflight::{Check, Preflight, Verdict, preflight};
pub use same::{There, difference, differs};
pub use settle::{DEFAULT_CORES, DEFAULT_DISK_GB, DEFAULT_MEMORY_MB, DEFAULT_SWAP_MB};
pub use site::{Site, Storage};
pub use spec::{Features, OnFailure, Phase, Spec};
pub use values::{check_wish, is_hostname};
pub use wish::{Layers, Origin, Setting, Wish};
