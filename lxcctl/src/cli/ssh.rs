//! Flags of `remote set` about SSH.

use std::path::PathBuf;

use clap::Args;

/// How the nodes of a remote are reached over SSH.
#[derive(Debug, Clone, Default, Args)]
pub struct SshFlags {
    /// Reach its nodes over SSH as this user: root, or one who may run everything with sudo -n (lxcd@:2222).
    #[arg(long, value_name = "USER[@:PORT]", conflicts_with = "no_ssh")]
    pub ssh: Option<String>,
    /// Log in with this private key, which has no passphrase; lxcd keeps it encrypted.
    #[arg(long, value_name = "FILE", requires = "ssh", conflicts_with_all = ["ssh_agent", "ssh_password"])]
    pub ssh_key: Option<PathBuf>,
    /// Log in with the keys of the agent that lxcd was started with (SSH_AUTH_SOCK).
    #[arg(long, requires = "ssh", conflicts_with = "ssh_password")]
    pub ssh_agent: bool,
    /// Log in with a password: it is asked for, or read from stdin where there is no terminal.
    #[arg(long, requires = "ssh", conflicts_with = "token_secret_stdin")]
    pub ssh_password: bool,
    /// SHA-256 of the nodes' SSH host keys, as ssh-keygen -l prints it; then nothing is asked.
    #[arg(long, value_name = "SHA256:…", requires = "ssh", value_delimiter = ',')]
    pub ssh_fingerprint: Vec<String>,
    /// Where jobs lie on the nodes (/var/lib/lxcd/jobs).
    #[arg(long, value_name = "DIR", requires = "ssh")]
    pub ssh_dir: Option<String>,
    /// Reach its nodes over SSH no more.
    #[arg(long)]
    pub no_ssh: bool,
}
