//! Does somebody get in over SSH, and is everything there that is needed? Owns that line, which is there only where an
//! access is set up.

use super::super::ssh::ssh_error;
use super::{Diagnosis, Finding};
use crate::service::Services;
use crate::service::registry::Remote;

/// What runs on a node besides the protocol's own programs.
const PROGRAMS: &[&str] = &["lxc-attach"];

impl Services {
    pub(super) async fn look_at_ssh(&self, remote: &Remote, into: &mut Diagnosis) {
        let Some(ssh) = &remote.row.ssh else { return };
        let checked = self.check_ssh(&remote.row, PROGRAMS).await;
        let (mut fine, before) = (Vec::new(), into.findings.len());
        for (node, lacks) in checked {
            match lacks {
                Ok(lacks) if lacks.is_empty() => fine.push(node),
                Ok(lacks) => {
                    into.findings.push(Finding::new(
                        "ssh",
                        "missing",
                        format!("{node}: {}", lacks.join(", ")),
                    ));
                }
                Err(error) => {
                    into.findings.push(Finding::new("ssh", "failed", format!("{node}: {error}")));
                    into.errors.push(ssh_error(&remote.row, &node, &error));
                }
            }
        }
        if into.findings.len() == before {
            let detail = format!("{} with {} on {}", ssh.user, ssh.way, fine.join(", "));
            into.findings.push(Finding::new("ssh", "ok", detail));
        }
    }
}
