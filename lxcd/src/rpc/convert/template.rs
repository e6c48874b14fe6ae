//! Templates on the wire.

use lxc_core::record::TemplateOutline;
use lxc_core::template::{Change, Source, Sources};
use lxc_proto::v1;

pub(in crate::rpc) fn sources(files: Vec<v1::TemplateSource>) -> Sources {
    let source =
        |file: v1::TemplateSource| (file.path, Source { content: file.content, executable: file.executable });
    files.into_iter().map(source).collect()
}

pub(in crate::rpc) fn files(sources: Sources) -> Vec<v1::TemplateSource> {
    let file = |(path, source): (String, Source)| v1::TemplateSource {
        path,
        content: source.content,
        executable: source.executable,
    };
    sources.into_iter().map(file).collect()
}

pub(in crate::rpc) fn change(change: &Change) -> v1::TemplateChange {
    v1::TemplateChange {
        part: change.part.to_owned(),
        name: change.name.clone(),
        change: change.how.to_string(),
        detail: change.detail.clone(),
    }
}

pub(in crate::rpc) fn template(template: &TemplateOutline) -> v1::Template {
    let settings = &template.settings;
    let scripts = template.scripts.iter().map(|script| v1::TemplateScript {
        number: script.number,
        name: script.name.clone(),
        bytes: script.size,
    });
    let files = template.files.iter().map(|file| v1::TemplateFile {
        name: file.name.clone(),
        directory: file.directory.clone(),
        policy: file.policy.to_string(),
        executable: file.executable,
        bytes: file.size,
    });
    let packages = template.packages.iter().map(|list| v1::TemplatePackages {
        name: list.name.clone(),
        manager: list.manager.to_string(),
        items: list.items.clone(),
    });
    v1::Template {
        name: template.name.clone(),
        description: settings.description.clone(),
        tags: settings.tags.clone(),
        os: settings.os.clone(),
        version: settings.version.clone(),
        cpu: settings.cpu,
        memory_bytes: u64::from(settings.ram_mb) << 20,
        disk_bytes: u64::from(settings.disk_gb) << 30,
        unprivileged: settings.unprivileged,
        nesting: settings.nesting,
        keyctl: settings.keyctl,
        fuse: settings.fuse,
        scripts: scripts.collect(),
        files: files.collect(),
        packages: packages.collect(),
        revision: template.revision,
        author: template.author.clone(),
        created_us: template.created,
        changed_us: template.changed,
    }
}
