//! Records: what lxcd knows of remotes, containers, operations, events, people and templates, as the database keeps it and
//! services answer with it. Plain data; how it is stored is lxcd's `store`.

mod audit;
mod container;
mod daemon;
mod event;
mod login;
mod operation;
mod remote;
mod round;
mod services;
mod ssh;
mod template;

pub use audit::{AuditFilter, AuditRecord};
pub use container::{ContainerRecord, Inside};
pub use daemon::{DaemonRecord, DaemonSeen, Standing};
pub use event::{EventData, EventFilter, EventRecord, NewEvent};
pub use login::Login;
pub use operation::OperationFilter;
pub use remote::{Owner, People, Pin, RemoteRecord, Share};
pub use round::{Round, Seen};
pub use services::{Looked, ServicesRecord};
pub use ssh::{SshHost, SshRecord, SshWay};
pub use template::{BucketRecord, FileOutline, ScriptOutline, TemplateOutline, TemplateRecord};
