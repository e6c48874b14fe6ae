//! Users, tokens, roles, ACL, tickets.

use serde_json::{Map, Value, json};

use super::{Answer, Call};
use crate::pvesim::auth::{Identity, Token, roles};
use crate::pvesim::model::World;
use crate::pvesim::noise;
use crate::pvesim::reply::{Refusal, Reply};

pub(super) fn permissions(world: &World, call: &Call<'_>) -> Answer {
    let who = match call.params.get("userid") {
        Some(id) if id != call.who.auth_id => {
            super::auth::need(world, &call.who, "/access", "Sys.Audit")?;
            Identity::from_auth_id(id)
        }
        _ => call.who.clone(),
    };
    Ok(Reply::data(&world.access.effective(&who, call.params.get("path"))))
}

pub(super) fn ticket(world: &World, call: &Call<'_>) -> Answer {
    let name = call.params.text("username");
    let user = match call.params.get("realm") {
        Some(realm) if !name.contains('@') => format!("{name}@{realm}"),
        _ => name.to_owned(),
    };
    let now = world.wall.at(world.now());
    let Some((ticket, csrf)) = world.access.login(&user, call.params.text("password"), now) else {
        return Err(Refusal::Login);
    };
    if world.access.users.get(&user).is_some_and(|known| known.second_factor) {
        // What it gives is no ticket yet, only something to show with the second factor.
        return Ok(Reply::data(&json!({"username": user, "ticket": "PVE:!tfa!", "NeedTFA": 1,
            "CSRFPreventionToken": csrf})));
    }
    let cap =
        json!({"vms": {}, "nodes": {}, "storage": {}, "access": {}, "dc": {}, "sdn": {}, "mapping": {}});
    Ok(Reply::data(&json!({"username": user, "ticket": ticket, "CSRFPreventionToken": csrf, "cap": cap})))
}

pub(super) fn users(world: &World, call: &Call<'_>) -> Answer {
    let all = world.access.may(&call.who, "/access/groups", "Sys.Audit");
    let rows: Vec<Value> = world
        .access
        .users
        .keys()
        // A token is not its user.
        .filter(|id| all || **id == call.who.auth_id)
        .map(|id| {
            let realm = id.rsplit_once('@').map_or("", |(_, r)| r);
            let mut row = json!({"userid": id, "enable": 1, "expire": 0, "realm-type": realm});
            let own: Vec<Value> =
                world.access.tokens.values().filter(|t| t.user == *id).map(token_row).collect();
            if call.params.flag("full") && !own.is_empty() {
                row["tokens"] = own.into();
            }
            row
        })
        .collect();
    Ok(Reply::data(&rows))
}

pub(super) fn tokens(world: &World, call: &Call<'_>) -> Answer {
    let user = call.params.text("userid");
    let own = world.access.tokens.values().filter(|t| t.user == user);
    let rows: Vec<Value> = own.map(token_row).collect();
    Ok(Reply::data(&rows))
}

fn token_row(token: &Token) -> Value {
    json!({"tokenid": token.id, "expire": token.expire, "privsep": u8::from(token.privsep)})
}

pub(super) fn token(world: &World, call: &Call<'_>) -> Answer {
    let full = format!("{}!{}", call.params.text("userid"), call.params.text("tokenid"));
    let Some(token) = world.access.tokens.get(&full) else {
        return Err(Refusal::failed(format!(
            "no such token '{}' for user '{}'",
            call.params.text("tokenid"),
            call.params.text("userid")
        )));
    };
    let mut row = token_row(token);
    if let Some(map) = row.as_object_mut() {
        map.remove("tokenid");
    }
    Ok(Reply::data(&row))
}

pub(super) fn token_create(world: &mut World, call: &Call<'_>) -> Answer {
    let (user, id) = (call.params.text("userid"), call.params.text("tokenid"));
    let full = format!("{user}!{id}");
    if world.access.tokens.contains_key(&full) {
        return Err(Refusal::parameter("tokenid", "Token already exists."));
    }
    let secret = noise::uuid(noise::mix(world.now(), full.len() as u64));
    let privsep = call.params.get("privsep") != Some("0");
    world.access.add_token(user, id, &secret, privsep);
    let info = json!({"privsep": if privsep { "1" } else { "0" }});
    Ok(Reply::data(&json!({"full-tokenid": full, "info": info, "value": secret})))
}

pub(super) fn roles() -> Answer {
    let row = |name: &&str| {
        let privs: Vec<&str> = roles::names(roles::role(name).unwrap_or(0)).collect();
        json!({"roleid": name, "privs": privs.join(","), "special": 1})
    };
    let rows: Vec<Value> = roles::ROLES.iter().map(row).collect();
    Ok(Reply::data(&rows))
}

pub(super) fn acl(world: &World, call: &Call<'_>) -> Answer {
    let all = world.access.may(&call.who, "/access", "Sys.Audit");
    let mut rows: Vec<Value> = Vec::new();
    for (path, entries) in &world.access.acl {
        let shown = all || world.access.may(&call.who, path, "Permissions.Modify");
        for entry in entries.iter().filter(|_| shown) {
            rows.push(json!({"path": path, "type": entry.kind, "ugid": entry.who, "roleid": entry.role,
                "propagate": u8::from(entry.propagate)}));
        }
    }
    Ok(Reply::data(&rows))
}

pub(super) fn acl_put(world: &mut World, call: &Call<'_>) -> Answer {
    let path = call.params.text("path");
    super::auth::need(world, &call.who, path, "Permissions.Modify")?;
    let propagate = call.params.get("propagate") != Some("0");
    let split = |name: &str| -> Vec<String> {
        let value = call.params.get(name).unwrap_or_default();
        value.split([',', ' ', ';']).filter(|v| !v.is_empty()).map(str::to_owned).collect()
    };
    let roles = split("roles");
    if let Some(unknown) = roles.iter().find(|r| roles::role(r).is_none()) {
        return Err(Refusal::failed(format!("role '{unknown}' does not exist")));
    }
    for (kind, who) in [("user", split("users")), ("token", split("tokens"))] {
        for (who, role) in who.iter().flat_map(|w| roles.iter().map(move |r| (w, r))) {
            if call.params.flag("delete") {
                if let Some(entries) = world.access.acl.get_mut(path) {
                    entries.retain(|e| (e.kind, &e.who, &e.role) != (kind, who, role));
                }
            } else {
                world.access.grant(path, kind, who, role, propagate);
            }
        }
    }
    Ok(Reply::null())
}

pub(super) fn domains() -> Answer {
    let mut rows: Vec<Map<String, Value>> = Vec::new();
    for (realm, comment) in
        [("pam", "Linux PAM standard authentication"), ("pve", "Proxmox VE authentication server")]
    {
        let row = json!({"realm": realm, "type": realm, "comment": comment});
        rows.extend(row.as_object().cloned());
    }
    Ok(Reply::data(&rows))
}
