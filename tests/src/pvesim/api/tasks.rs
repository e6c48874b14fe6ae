//! Tasks: lists, status, log, abort.

use serde_json::{Map, Value, json};

use super::{Answer, Call};
use crate::pvesim::model::task::is_upid;
use crate::pvesim::model::{Task, World};
use crate::pvesim::reply::{Refusal, Reply};

fn audits(world: &World, call: &Call<'_>, node: usize) -> bool {
    world.access.may(&call.who, &format!("/nodes/{}", world.node_name(node)), "Sys.Audit")
}

/// Fields every view of a task has. User and token are one in the active list and two everywhere else.
fn base(task: &Task, node: &str, split: bool) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("upid".into(), task.upid.as_str().into());
    row.insert("node".into(), node.into());
    row.insert("pid".into(), task.pid.into());
    row.insert("pstart".into(), task.pstart.into());
    row.insert("starttime".into(), task.starttime.into());
    row.insert("type".into(), task.kind.as_str().into());
    row.insert("id".into(), task.id.as_str().into());
    row.insert("user".into(), if split { &task.who.user } else { &task.who.auth_id }.as_str().into());
    if let (true, Some(token)) = (split, &task.who.token) {
        row.insert("tokenid".into(), token.as_str().into());
    }
    row
}

fn active_row(world: &World, task: &Task) -> Value {
    let mut row = base(task, world.node_name(task.node), false);
    row.insert("status".into(), "RUNNING".into());
    row.insert("saved".into(), "0".into());
    row.into()
}

fn archive_row(world: &World, task: &Task) -> Value {
    let mut row = base(task, world.node_name(task.node), true);
    if let Some(end) = &task.end {
        row.insert("status".into(), end.status.as_str().into());
        row.insert("endtime".into(), end.wall.into());
    }
    row.into()
}

/// Is this task its owner's to see? A separated token does not even see its user's other tasks.
fn own(world: &World, call: &Call<'_>, task: &Task) -> bool {
    let separated = world.access.tokens.get(&call.who.auth_id).is_some_and(|t| t.privsep);
    if separated { task.who.auth_id == call.who.auth_id } else { task.who.user == call.who.user }
}

pub(super) fn list(world: &World, call: &Call<'_>) -> Answer {
    let params = &call.params;
    let audit = audits(world, call, call.node);
    let source = params.get("source").unwrap_or("archive");
    let listed_from = world.now().saturating_sub(world.faults.list_lag_ms());
    let keep = |task: &&Task| -> bool {
        (audit || own(world, call, task))
            && params.number("vmid").is_none_or(|v| task.id == v.to_string())
            && params.get("typefilter").is_none_or(|t| task.kind == t)
            && params.get("userfilter").is_none_or(|u| user_matches(task, u))
            && params.number("since").is_none_or(|s| task.starttime >= s)
            && params.number("until").is_none_or(|u| task.starttime <= u)
    };
    let by_status = |task: &&Task| status_matches(task, params.flag("errors"), params.get("statusfilter"));
    let mut rows: Vec<&Task> = Vec::new();
    if source != "archive" && params.get("statusfilter").is_none() && !params.flag("errors") {
        rows.extend(world.tasks.active(call.node).filter(|t| t.started <= listed_from).filter(keep));
    }
    let active = rows.len();
    if source != "active" {
        rows.extend(world.tasks.archive(call.node).filter(keep).filter(by_status));
    }
    let total = rows.len();
    let start = params.number("start").unwrap_or(0).unsigned_abs() as usize;
    let limit = params.number("limit").unwrap_or(50).unsigned_abs() as usize;
    let page = rows.iter().enumerate().skip(start).take(if limit == 0 { usize::MAX } else { limit });
    let rows: Vec<Value> =
        page.map(|(i, t)| if i < active { active_row(world, t) } else { archive_row(world, t) }).collect();
    // Where there is nothing at all, there is no total either.
    Ok(if total == 0 { Reply::data(&rows) } else { Reply::list(&rows, total) })
}

/// Archived rows are matched by user without token, active ones by the whole identity.
fn user_matches(task: &Task, filter: &str) -> bool {
    let shown = if task.ended() { &task.who.user } else { &task.who.auth_id };
    shown.contains(filter)
}

fn status_matches(task: &Task, errors: bool, filter: Option<&str>) -> bool {
    let kind = match task.status() {
        Some("OK") => "ok",
        Some(s) if s.starts_with("WARNINGS") => "warning",
        Some("unexpected status") => "unknown",
        _ => "error",
    };
    if errors && matches!(kind, "ok" | "warning") {
        return false;
    }
    filter.is_none_or(|f| f.split([',', ' ', ';']).any(|wanted| wanted == kind))
}

pub(super) fn cluster(world: &World, call: &Call<'_>) -> Answer {
    let all = world.access.may(&call.who, "/", "Sys.Audit");
    let mut rows: Vec<(i64, Value)> = Vec::new();
    for node in 0..world.nodes.len() {
        let active: Vec<&Task> = world.tasks.active(node).collect();
        let finished = world.tasks.archive(node).take(25usize.saturating_sub(active.len()));
        for task in active.iter().copied().chain(finished) {
            // The trap: the task's user is compared without its token against an identity that has one.
            if all || task.who.user == call.who.auth_id {
                rows.push((task.starttime, cluster_row(world, task)));
            }
        }
    }
    rows.sort_by_key(|(start, _)| std::cmp::Reverse(*start));
    let rows: Vec<Value> = rows.into_iter().map(|(_, row)| row).collect();
    Ok(Reply::data(&rows))
}

fn cluster_row(world: &World, task: &Task) -> Value {
    let archived = task.ended() && task.settles <= world.now();
    let mut row = base(task, world.node_name(task.node), true);
    row.remove("pstart");
    row.insert("saved".into(), if archived { "1" } else { "0" }.into());
    match &task.end {
        Some(end) if archived => {
            row.remove("pid");
            row.insert("status".into(), end.status.as_str().into());
            row.insert("endtime".into(), end.wall.into());
        }
        _ => {}
    }
    row.into()
}

/// The task in the path, if the caller may see it. `Ok(None)` is a well-formed UPID nobody knows.
fn find<'a>(world: &'a World, call: &Call<'_>, privilege: &str) -> Result<Option<&'a Task>, Refusal> {
    let upid = call.params.text("upid");
    if !is_upid(upid) {
        return Err(Refusal::parameter("upid", "unable to parse worker upid"));
    }
    let task = world.tasks.find(upid).and_then(|id| world.tasks.get(id));
    let mine = task.is_some_and(|t| own(world, call, t));
    let path = format!("/nodes/{}", world.node_name(call.node));
    if !mine && !world.access.may(&call.who, &path, privilege) {
        return Err(Refusal::Forbidden(format!("{path}, {privilege}")));
    }
    Ok(task)
}

pub(super) fn index(world: &World, call: &Call<'_>) -> Answer {
    find(world, call, "Sys.Audit")?;
    Ok(Reply::data(&[json!({"name": "log"}), json!({"name": "status"})]))
}

pub(super) fn status(world: &World, call: &Call<'_>) -> Answer {
    let Some(task) = find(world, call, "Sys.Audit")? else {
        return Err(Refusal::parameter("upid", "no such task"));
    };
    let mut row = base(task, world.node_name(task.node), true);
    row.insert("status".into(), if task.ended() { "stopped" } else { "running" }.into());
    if let Some(end) = &task.end {
        row.insert("exitstatus".into(), end.status.as_str().into());
    }
    Ok(Reply::data(&row))
}

pub(super) fn log(world: &World, call: &Call<'_>) -> Answer {
    let Some(task) = find(world, call, "Sys.Audit")? else {
        let line = json!({"n": 1, "t": "unable to open file - No such file or directory"});
        return Ok(Reply::list(&[line], 1));
    };
    if call.params.flag("download") {
        return Ok(download(world, task));
    }
    if task.log.is_empty() {
        return Ok(Reply::list(&[json!({"n": 1, "t": "no content"})], 1));
    }
    let start = call.params.number("start").unwrap_or(0).unsigned_abs() as usize;
    let limit = match call.params.number("limit").unwrap_or(50).unsigned_abs() as usize {
        0 => usize::MAX,
        limit => limit,
    };
    let lines = task.log.iter().enumerate().skip(start).take(limit);
    let rows: Vec<Value> = lines.map(|(i, line)| json!({"n": i + 1, "t": line})).collect();
    Ok(Reply::list(&rows, task.log.len()))
}

fn download(world: &World, task: &Task) -> Reply {
    let text: String = task.log.iter().map(|line| format!("{line}\n")).collect();
    let mut reply = Reply::plain(200, "OK", &text);
    reply.content_type = Some("text/plain".to_owned());
    let start = jiff::Timestamp::from_second(task.starttime).unwrap_or_default();
    let name = format!(
        "task-{}-{}-{}.log",
        world.node_name(task.node),
        task.kind,
        start.strftime("%Y-%m-%dT%H:%M:%SZ")
    );
    reply.headers.push(("Content-Disposition".into(), format!("attachment; filename=\"{name}\"")));
    reply
}

pub(super) fn stop(world: &mut World, call: &Call<'_>) -> Answer {
    let known = find(world, call, "Sys.Modify")?.map(|t| t.upid.clone());
    if let Some(id) = known.and_then(|upid| world.tasks.find(&upid)) {
        world.abort(id);
        if world.tasks.get(id).is_some_and(|t| !t.ended()) {
            // Proxmox waits for the worker, and kills it after five seconds.
            return Ok(Reply::null().after(5000));
        }
    }
    Ok(Reply::null())
}
