//! What lxcctl knows about things, apart from the wire: these structs are the JSON contract (snake_case,
//! every field always there, null for not known). Own their fields' names and order; must not know how
//! they are shown in text.

mod bucket;
mod container;
mod create;
mod daemon;
mod event;
mod node;
mod operation;
mod remote;
mod service;
mod ssh;
mod template;

pub use bucket::{Bucket, BucketPackages, SavedBucket};
pub use container::{Container, ContainerRef, Shown, Summary, Unlocked, Warning};
pub use create::{CreatePlan, Setting, Survey, SurveyedNode};
pub use daemon::{Daemon, DaemonStatus, Poll, RemoteRole, WhoAmI};
pub use event::{Actor, AuditRecord, Event};
pub use node::Node;
pub use operation::{Check, DryRun, Operation, Step};
pub use remote::{Certificate, Finding, Pin, Remote, RemoteCheck, Share, TrustItem, UrlState};
pub use service::{Revealed, Secret, Service, ServicesFound};
pub use ssh::{Ssh, SshHost, SshShown};
pub use template::{File, Packages, SavedTemplate, Script, Template, TemplateChange, TemplateImport};
