//! Authentication and the declared privileges.
//!
//! Owns the header forms and the texts of a refusal.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use crate::pvesim::auth::Identity;
use crate::pvesim::model::World;
use crate::pvesim::reply::Refusal;
use crate::pvesim::schema::{Perm, Raw};
use crate::pvesim::wire::http::Request;

const FAILED: &str = "Authentication failed!";

/// Who sent this request? The text of the 401 otherwise.
pub(super) fn identify(world: &World, request: &Request) -> Result<Identity, &'static str> {
    let header = request.header("authorization").unwrap_or_default();
    if let Some(rest) = header.strip_prefix("PVEAPIToken") {
        let token = rest.strip_prefix(['=', ' ']).ok_or("No ticket")?;
        let token = percent_decode_str(token).decode_utf8_lossy();
        return world.access.by_token(&token).ok_or(FAILED);
    }
    let cookies = request.header("cookie").unwrap_or_default();
    let cookie = cookies.split(';').find_map(|c| c.trim().strip_prefix("PVEAuthCookie="));
    let ticket = cookie.or_else(|| header.strip_prefix("PVEAuthCookie=")).ok_or("No ticket")?;
    let ticket = percent_decode_str(ticket).decode_utf8_lossy();
    let who = world.access.by_ticket(&ticket, world.wall.at(world.now())).ok_or(FAILED)?;
    let csrf = request.header("csrfpreventiontoken").unwrap_or_default();
    if request.method != "GET" && !world.access.csrf_matches(&who.user, csrf) {
        return Err("Permission denied - invalid csrf token");
    }
    Ok(who)
}

/// Has the caller what the endpoint asks for? `given` = parameters of the path and of the rest alike.
pub(super) fn permit(
    world: &World,
    who: &Identity,
    perm: Perm,
    given: &BTreeMap<String, Raw>,
) -> Result<(), Refusal> {
    let (template, privileges, any) = match perm {
        Perm::World | Perm::User | Perm::Modify => return Ok(()),
        Perm::All(path, privileges) => (path, privileges, false),
        Perm::Any(path, privileges) => (path, privileges, true),
    };
    let mut path = template.to_owned();
    for (name, value) in given {
        if let Raw::Text(value) = value {
            path = path.replace(&format!("{{{name}}}"), value);
        }
    }
    // A path that is none is no path, and the message shows nothing.
    let valid = path.chars().all(|c| c.is_ascii_alphanumeric() || "/._-@!".contains(c));
    let path = if valid { path } else { String::new() };
    let has = |p: &&str| valid && world.access.may(who, &path, p);
    let granted = if any { privileges.iter().any(has) } else { privileges.iter().all(has) };
    if granted {
        return Ok(());
    }
    let joined = privileges.join(if any { "|" } else { ", " });
    Err(Refusal::Forbidden(format!("{path}, {joined}")))
}

/// Refuses a caller without the privilege.
pub(super) fn need(world: &World, who: &Identity, path: &str, privilege: &str) -> Result<(), Refusal> {
    if world.access.may(who, path, privilege) {
        return Ok(());
    }
    Err(Refusal::Forbidden(format!("{path}, {privilege}")))
}
