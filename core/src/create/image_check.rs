//! Whether the OS image is on the node, or comes there first, and what helps when neither is so. Pure; which image a wish
//! means is `image`'s, which one can be downloaded `download`'s.

use super::download::{Download, offered, taking};
use super::image;
use super::preflight::{Check, ok, refused};
use super::site::{IMAGES, Site};
use super::spec::Spec;
use crate::error::{Code, Error};

/// How many of the images that are there are named.
const NAMED: usize = 4;

/// `wanted` = what was wished, as it was said; a download that was wished and can be is in the spec.
pub(super) fn check(spec: &Spec, site: &Site, wanted: &str) -> Option<Check> {
    const NAME: &str = "image";
    if site.node_trouble.is_some() {
        return None;
    }
    if site.volumes.contains(&spec.image) {
        return Some(ok(NAME, &spec.image));
    }
    if let Some(Download { storage, file }) = &spec.download {
        return Some(ok(NAME, format!("{file} is downloaded to {storage} first")));
    }
    if wanted.is_empty() {
        let error = Error::new(Code::Usage, "create wants a template or an image")
            .because("neither --template nor --image was given")
            .hint("lxcctl template ls")
            .hint("lxcctl create --help");
        return Some(refused(NAME, error));
    }
    Some(refused(NAME, missing(site, wanted)))
}

fn missing(site: &Site, wanted: &str) -> Error {
    let node = &site.node;
    let mut error = Error::new(Code::NoImage, format!("{node} has no image {wanted}"));
    error = match site.volumes.len() {
        0 => error.because("no storage of that node holds an image the token may see"),
        many => {
            let files: Vec<&str> = site.volumes.iter().map(|volume| image::file(volume)).collect();
            let more = if many > NAMED { ", …" } else { "" };
            error.because(format!("there are {}{more}", files[..many.min(NAMED)].join(", ")))
        }
    };
    if let Some(Download { storage, file }) = offered(wanted, site) {
        return error
            .hint_noted("{line} --download", format!("has Proxmox download {file} to {storage} first"))
            .hint_noted(format!("pveam download {storage} {file}"), format!("on {node}; then again"));
    }
    let Some(file) = image::resolve(image::file(wanted), &site.downloads) else {
        return error.hint_noted("pveam update && pveam available --section system", format!("on {node}"));
    };
    let which = if taking(site).next().is_none() { "no storage" } else { "no storage of that name" };
    error
        .because(format!("{file} cannot be downloaded: {which} of {node} takes OS images ({IMAGES})"))
        .hint_noted(format!("pvesm status --content {IMAGES}"), format!("on {node}, lists those that do"))
}
