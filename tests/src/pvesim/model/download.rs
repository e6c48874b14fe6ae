//! Downloading an OS image.
//!
//! Owns the stages of the worker and the log it writes. What is not whole yet has another name, so that the image is there
//! at once and entirely, or not at all.

use super::node::TemplateFile;
use super::work::Next;
use super::{TaskId, World};

/// Bytes of it that come in a model millisecond.
const PACE: u64 = 6_000;

impl World {
    pub(super) fn download_stage(
        &mut self,
        id: TaskId,
        stage: u8,
        volid: &str,
        size: u64,
        from: &str,
    ) -> Next {
        let to = format!("/var/lib/vz/template/cache/{}", volid.rsplit('/').next().unwrap_or_default());
        match stage {
            0 => {
                self.say(id, &format!("downloading {from} to {to}"));
                if self.templates.iter().any(|image| image.volid == volid) {
                    let right = "OK, got correct file already, no need to download";
                    self.say(id, &format!("calculating checksum of existing file...{right}"));
                    return Next::ok();
                }
                self.say(id, &format!("Length: {size} ({}M)", size >> 20));
                Next::After(size / PACE / 2)
            }
            1 => {
                self.say(id, &format!("{}K ........ ........ ........ ........ 50% 20.0M 1s", size >> 11));
                Next::After(size / PACE / 2)
            }
            _ => {
                self.say(id, "calculating checksum...OK, checksum verified");
                self.say(id, &format!("download of '{from}' to '{to}' finished"));
                let ctime = self.wall.at(self.now());
                // Of two that download the same the second one replaces what the first one brought.
                self.templates.retain(|image| image.volid != volid);
                self.templates.push(TemplateFile { volid: volid.to_owned(), size, ctime });
                Next::ok()
            }
        }
    }
}
