//! The table of codes. `LXCEEnn`: EE is the exit code, nn counts. A code never changes its meaning
//! and is never given out twice; each has a page in `src/codes/`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::exit::Exit;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A stable name for one kind of failure.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// `LXC0401`
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The page behind `lxcctl explain CODE`, Markdown.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("../codes/", $text, ".md")),)* }
            }
        }
    };
}

codes! {
    /// A Proxmox task ended with an error.
    TaskFailed = "LXC0101",
    /// The operation was cancelled.
    Cancelled = "LXC0102",
    /// The vmid now belongs to another container.
    Replaced = "LXC0103",
    /// The task ended without a word: its worker was killed or the node went down.
    TaskVanished = "LXC0104",
    /// HA put the container into its error state, or did not act in time.
    HaFailed = "LXC0105",
    /// Not stopped within its grace, and nobody was to kill it.
    DidNotStop = "LXC0106",
    /// A fault in lxcd or lxcctl itself.
    Internal = "LXC0107",
    /// The database cannot be read or written.
    StoreFailed = "LXC0108",
    /// No room left where lxcd keeps its state.
    DiskFull = "LXC0109",
    /// A script of a template failed in the container.
    ScriptFailed = "LXC0110",
    /// Not begun, because another one of the batch failed and --on-error is stop.
    BatchStopped = "LXC0111",
    /// Redis does not answer where it is needed.
    RedisAway = "LXC0112",
    /// Standard output cannot take the answer.
    OutputFailed = "LXC0113",
    /// Files or packages could not be put into the container.
    ProvisionFailed = "LXC0114",
    /// The container runs and does not answer in time.
    NotReady = "LXC0115",
    /// A job on the node is gone without a word.
    JobLost = "LXC0116",
    /// What runs in a container cannot be told, or not all of it.
    LookFailed = "LXC0117",
    /// Proxmox could not download an OS image.
    DownloadFailed = "LXC0118",

    /// The command line is wrong.
    Usage = "LXC0201",
    /// The name of several containers.
    Ambiguous = "LXC0202",
    /// A selector with an unknown key.
    SelectorKey = "LXC0203",
    /// A selector that cannot be read.
    SelectorSyntax = "LXC0204",
    /// An empty target or selector; empty is never everything.
    EmptySelection = "LXC0205",
    /// A question, and no terminal to ask on.
    NeedsYes = "LXC0206",
    /// More targets than --at-most allows.
    TooMany = "LXC0207",
    /// The vmid is a virtual machine's.
    IsVm = "LXC0208",
    /// The answer to the question was no.
    AnsweredNo = "LXC0209",
    /// --all over several remotes without --remote.
    AllRemotes = "LXC0210",
    /// A request id that was used for something else.
    RequestIdReused = "LXC0211",
    /// A configuration file that cannot be used.
    BadConfig = "LXC0212",
    /// A URL that cannot be a Proxmox API.
    BadUrl = "LXC0213",
    /// An option value out of range.
    BadValue = "LXC0214",
    /// The certificate needs a yes, and there is no terminal.
    NeedsFingerprint = "LXC0215",
    /// A template that cannot be read.
    BadTemplate = "LXC0216",

    /// No such container (or not yours to see).
    NoContainer = "LXC0301",
    /// No such remote (or not yours to see).
    NoRemote = "LXC0302",
    /// No such operation.
    NoOperation = "LXC0303",
    /// A pattern that matches nothing.
    NoMatch = "LXC0304",
    /// No such node.
    NoNode = "LXC0305",
    /// No such error code or help topic.
    NoPage = "LXC0306",
    /// No such lxcd, or no more.
    NoDaemon = "LXC0307",
    /// No such template.
    NoTemplate = "LXC0308",
    /// No such service, or nothing is kept for it.
    NoService = "LXC0309",
    /// No such bucket.
    NoBucket = "LXC0310",
    /// No such resource pool.
    NoPool = "LXC0311",

    /// One of our operations holds the container.
    Locked = "LXC0401",
    /// Proxmox holds a lock on the container.
    PveLocked = "LXC0402",
    /// Something on the node keeps the container's config file busy.
    ConfigBusy = "LXC0403",
    /// Another lxcd runs on this state directory or socket.
    StateInUse = "LXC0404",
    /// Somebody else's script holds the container's key in Redis.
    ForeignLocked = "LXC0405",
    /// It is not what it was when the change of it began.
    Overtaken = "LXC0406",

    /// Already running.
    AlreadyRunning = "LXC0501",
    /// Not running.
    NotRunning = "LXC0502",
    /// Protected against deletion.
    Protected = "LXC0503",
    /// The token lacks privileges.
    LacksPrivilege = "LXC0504",
    /// A Proxmox template cannot be started.
    IsTemplate = "LXC0505",
    /// This Proxmox is known already, under another name.
    SameInstallation = "LXC0506",
    /// The remote still has running operations.
    RemoteBusy = "LXC0507",
    /// The operation is not in a state for this.
    OperationState = "LXC0508",
    /// The database was written by a newer lxcd.
    NewerDatabase = "LXC0509",
    /// The database is damaged.
    CorruptDatabase = "LXC0510",
    /// The keys do not open what the database holds.
    WrongKey = "LXC0511",
    /// Proxmox refuses the request as it is.
    PveRefused = "LXC0512",
    /// The container is gone from Proxmox.
    Gone = "LXC0513",
    /// A remote of that name exists.
    RemoteExists = "LXC0514",
    /// No key in Redis that could be removed.
    NoForeignLock = "LXC0515",
    /// The database was written by an older lxcd, and others may use it.
    OlderDatabase = "LXC0516",
    /// A container of that name exists in the remote.
    NameTaken = "LXC0517",
    /// The vmid is somebody's.
    VmidTaken = "LXC0518",
    /// The node has no such OS image.
    NoImage = "LXC0519",
    /// The storage cannot take the disk.
    StorageUnfit = "LXC0520",
    /// No such bridge, or the address is somebody's.
    NetworkUnfit = "LXC0521",
    /// A feature that only root@pam may set.
    FeatureRefused = "LXC0522",
    /// The node cannot be reached by SSH, and the template needs it.
    NoSsh = "LXC0523",

    /// Your role does not allow it.
    Role = "LXC0601",
    /// The token's user lacks a privilege on Proxmox.
    PvePrivilege = "LXC0602",
    /// Proxmox does not accept the token.
    PveUnauthorized = "LXC0603",
    /// The socket may not be opened.
    SocketPermission = "LXC0604",
    /// The node does not let us in over SSH.
    SshRefused = "LXC0605",

    /// No URL of the remote answers.
    RemoteUnreachable = "LXC0701",
    /// A node does not answer.
    NodeUnreachable = "LXC0702",
    /// The certificate is not the pinned one.
    CertificateChanged = "LXC0703",
    /// What answers there is not Proxmox, or not in its right mind.
    NotProxmox = "LXC0704",
    /// The SSH host key is not the pinned one.
    HostKeyChanged = "LXC0705",

    /// lxcd does not answer.
    DaemonUnreachable = "LXC0801",
    /// lxcctl and lxcd are too far apart.
    VersionMismatch = "LXC0802",
    /// The socket path is longer than a socket path can be.
    SocketPath = "LXC0803",
    /// lxcd is shutting down.
    ShuttingDown = "LXC0804",
    /// lxcd hands over to others and begins nothing.
    Draining = "LXC0805",

    /// Some succeeded, some did not.
    Partial = "LXC0901",
    /// The listing is not complete, and --strict was given.
    Incomplete = "LXC0902",

    /// Waited long enough; the operation goes on.
    GaveUp = "LXC1001",

    /// Nobody knows how it ended.
    OutcomeUnknown = "LXC1101",

    /// Done, with warnings, and --fail-on-warnings was given.
    Warnings = "LXC1201",
}

impl Code {
    /// What its page is called: `Proxmox holds a lock on the container`.
    #[must_use]
    pub fn title(self) -> &'static str {
        let head = self.page().lines().next().unwrap_or_default();
        head.split_once(": ").map_or(head, |(_, title)| title)
    }

    /// The exit code: the first two digits.
    #[must_use]
    pub fn exit(self) -> Exit {
        let digits = &self.as_str().as_bytes()[3..5];
        Exit::from_digits((digits[0] - b'0') * 10 + (digits[1] - b'0'))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text was no code of ours.
#[derive(Debug, thiserror::Error)]
#[error("{0} is no error code")]
pub struct UnknownCode(String);

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.to_ascii_uppercase();
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == wanted)
            .ok_or_else(|| UnknownCode(text.to_owned()))
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_well_formed_unique_and_has_a_page() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(text.len() == 7 && text.starts_with("LXC"), "{text}");
            assert!(text[3..].bytes().all(|b| b.is_ascii_digit()), "{text}");
            assert!(seen.insert(text), "{text} twice");
            assert_eq!(format!("{:02}", code.exit().number()), text[3..5], "{text}");
            assert!(code.page().starts_with(&format!("# {text}: ")), "{text} has no page title");
        }
    }
}
