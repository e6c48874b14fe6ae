//! Which pieces of a template are taken: all but those named with `--without`. Owns their names; a name that is none is
//! refused, so that nothing is left in by a typing error.

use super::parts;
use crate::create::Part;
use crate::error::{Code, Error, Result};
use crate::template::Template;

/// A template without what was left out, and its pieces.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// What is left of it.
    pub template: Template,
    /// Its pieces, in order.
    pub parts: Vec<Part>,
}

/// Takes what was not left out.
///
/// # Errors
/// LXC0214 for a name that is none of its pieces.
pub fn choose(template: &Template, without: &[String]) -> Result<Chosen> {
    let mut left = template.clone();
    for name in without {
        let before = (left.scripts.len(), left.packages.len(), left.files.len());
        let is = |kind: &str, one: &str| name.strip_prefix(kind).is_some_and(|wanted| wanted == one);
        left.scripts.retain(|script| !is("script:", &script.name));
        left.packages.retain(|list| {
            !is("packages:", list.manager.as_str())
                && !is("packages:", &format!("{}.{}", list.name, list.manager))
        });
        left.files.retain(|file| !is("file:", &file.name));
        if before == (left.scripts.len(), left.packages.len(), left.files.len()) {
            return Err(unknown(template, name));
        }
    }
    let parts = parts(&left);
    Ok(Chosen { template: left, parts })
}

fn unknown(template: &Template, name: &str) -> Error {
    let scripts = template.scripts.iter().map(|script| format!("script:{}", script.name));
    let mut managers: Vec<String> =
        template.packages.iter().map(|list| format!("packages:{}", list.manager)).collect();
    managers.dedup();
    let files = template.files.iter().map(|file| format!("file:{}", file.name));
    let names: Vec<String> = managers.into_iter().chain(scripts).chain(files).collect();
    let shown: String = name.chars().take(60).collect();
    Error::new(Code::BadValue, format!("{} has no piece {shown}", template.name))
        .because(format!("there are {}", names.join(", ")))
        .hint(format!("lxcctl template show {}", template.name))
}
