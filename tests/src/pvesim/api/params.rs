//! Parameters of a request: from path, query and body.
//!
//! Owns decoding. The path wins over the query, the query over the body.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::pvesim::reply::Refusal;
use crate::pvesim::schema::Raw;
use crate::pvesim::wire::http::Request;

/// All parameters of a request.
pub(super) fn collect(
    request: &Request,
    captured: &[(&'static str, String)],
) -> Result<BTreeMap<String, Raw>, Refusal> {
    let mut all = body(request)?;
    all.extend(pairs(request.query().as_bytes()));
    for (name, value) in captured {
        if all.get(*name).is_some_and(|given| *given != Raw::Text(value.clone())) {
            let text = "duplicate parameter (already defined in URI) with conflicting values";
            return Err(Refusal::parameter(name, text));
        }
        all.insert((*name).to_owned(), Raw::Text(value.clone()));
    }
    Ok(all)
}

/// A form; a key that is repeated becomes a list.
fn pairs(bytes: &[u8]) -> BTreeMap<String, Raw> {
    let mut all: BTreeMap<String, Raw> = BTreeMap::new();
    for (key, value) in form_urlencoded::parse(bytes) {
        let value = value.into_owned();
        match all.get_mut(key.as_ref()) {
            None => {
                all.insert(key.into_owned(), Raw::Text(value));
            }
            Some(Raw::List(list)) => list.push(value),
            Some(first) => {
                let before = match first {
                    Raw::Text(text) => std::mem::take(text),
                    Raw::List(_) => String::new(),
                };
                *first = Raw::List(vec![before, value]);
            }
        }
    }
    all
}

fn body(request: &Request) -> Result<BTreeMap<String, Raw>, Refusal> {
    let json = request.header("content-type").is_some_and(|t| t.starts_with("application/json"));
    if !json || request.body.is_empty() {
        return Ok(pairs(&request.body));
    }
    match serde_json::from_slice::<Value>(&request.body) {
        Ok(Value::Object(map)) => Ok(map.into_iter().filter_map(|(k, v)| Some((k, raw(v)?))).collect()),
        Ok(_) => Err(Refusal::failed("Not a HASH reference")),
        Err(_) => Err(Refusal::Malformed(malformed(&request.body))),
    }
}

/// `null` is no parameter; everything else becomes text.
fn raw(value: Value) -> Option<Raw> {
    let text = |value: Value| match value {
        Value::String(text) => text,
        Value::Bool(on) => u8::from(on).to_string(),
        other => other.to_string(),
    };
    match value {
        Value::Null => None,
        Value::Array(list) => Some(Raw::List(list.into_iter().map(text).collect())),
        other => Some(Raw::Text(text(other))),
    }
}

/// The complaint of Perl's JSON parser.
fn malformed(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let kept = text.trim_end();
    let at = match serde_json::from_slice::<Value>(body) {
        Err(error) if !error.is_eof() => error.column().saturating_sub(1).min(kept.len()),
        _ => kept.len(),
    };
    let rest = kept.get(at..).filter(|r| !r.is_empty()).unwrap_or("(end of string)");
    format!(
        "malformed JSON string, neither tag, array, object, number, string or atom, at character offset {at} \
         (before \"{rest}\") at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 934."
    )
}
