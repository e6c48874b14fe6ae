//! From a template to the files of its directory, always the same ones: what is read from them is written to the same
//! bytes. Must not decide where the directory is.

use super::{CONF, FILES, PACKAGES, Policy, SCRIPTS, Source, Sources, Template, conf};

/// The files that are read as this template.
#[must_use]
pub fn write(template: &Template) -> Sources {
    let plain = |text: String| Source { content: text.into_bytes(), executable: false };
    let mut sources =
        Sources::from([(CONF.to_owned(), plain(conf::written(&template.name, &template.settings)))]);
    for script in &template.scripts {
        let source = Source { content: script.text.clone().into_bytes(), executable: true };
        sources.insert(format!("{SCRIPTS}/{}", script.name), source);
    }
    for file in &template.files {
        let path = format!("{FILES}/{}", file.name);
        sources.insert(format!("{path}.path"), plain(format!("{}\n", file.directory)));
        // default is what no policy means.
        if file.policy != Policy::Default {
            sources.insert(format!("{path}.policy"), plain(format!("{}\n", file.policy)));
        }
        let source = Source { content: file.text.clone().into_bytes(), executable: file.executable };
        sources.insert(path, source);
    }
    for list in &template.packages {
        let lines = list.items.iter().map(|item| format!("{item}\n")).collect();
        sources.insert(format!("{PACKAGES}/{}.{}", list.name, list.manager), plain(lines));
    }
    sources
}
