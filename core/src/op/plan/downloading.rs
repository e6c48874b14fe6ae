//! The OS image a container is made from, where Proxmox is to download it before: whether that is due, and what the end of
//! its task means. Nobody's image is ours alone: that it is on the storage is all that counts, whoever brought it.

use super::{Change, Next, Turn};
use crate::create::Download;
use crate::op::kind::StepKind;
use crate::op::outcome::Outcome;
use crate::op::step::{Dispatch, Watch};
use crate::op::words;
use crate::pve::TaskExit;

impl Turn<'_> {
    /// What is to be downloaded, while that is what this step is for.
    pub(super) fn download(&self) -> Option<&Download> {
        self.op.kind.download().filter(|_| self.kind == StepKind::Download)
    }

    /// Nothing is under way: is it there already, may it be sent?
    pub(super) fn fetch(&self, download: &Download) -> Next {
        let node = &self.op.target.node;
        match self.facts.image {
            None => self.look_for_image(download, node),
            Some(true) => self.done("-", None),
            Some(false) => match self.kind.call(&self.op.kind, self.op.target.vmid, false) {
                Some(call) => Next::Dispatch { step: self.step, call, node: node.clone(), ha: false },
                None => self.done("-", None),
            },
        }
    }

    /// A dispatch of it is unresolved, and no task is to be found. Proxmox leaves an image alone that is there and right:
    /// to send it once more harms nobody.
    pub(super) fn unfetched(&self, download: &Download, dispatch: &Dispatch, sent: u32) -> Next {
        match self.facts.image {
            None => self.look_for_image(download, &dispatch.node),
            Some(true) => self.done("-", None),
            Some(false) if sent < 2 => Next::Commit(Change::Again(self.step)),
            Some(false) => self.fail(words::not_downloaded(self.op, download, words::NO_TRACE, &[])),
        }
    }

    /// Its task has ended. One of another create that was faster may be why ours failed: then nothing is amiss.
    pub(super) fn fetched(
        &self,
        download: &Download,
        watch: &Watch,
        exit: &TaskExit,
        tail: &[String],
    ) -> Next {
        let Some(there) = self.facts.image else {
            return self.look_for_image(download, &watch.dispatch.node);
        };
        match exit {
            _ if there => self.done(&exit.text(), None),
            TaskExit::Ok | TaskExit::Warnings(_) => {
                self.fail(words::not_downloaded(self.op, download, words::NOT_LISTED, tail))
            }
            _ if watch.stop_requested => {
                self.finish(Outcome::cancelled("its Proxmox task was aborted", true))
            }
            TaskExit::Vanished(text) => {
                let why = format!("its task on {} ended without a word: {text}", watch.dispatch.node);
                self.fail(words::not_downloaded(self.op, download, &why, tail))
            }
            TaskExit::Error(text) => {
                self.fail(words::not_downloaded(self.op, download, text, tail).pve(text))
            }
        }
    }

    fn look_for_image(&self, download: &Download, node: &str) -> Next {
        Next::LookForImage {
            node: node.to_owned(),
            storage: download.storage.clone(),
            volume: download.volume(),
        }
    }
}
