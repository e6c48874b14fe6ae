//! Verification of parameters, with Proxmox's own texts.
//!
//! Owns the order of the checks (type, format, length, range, enumeration) and their wording; all bad
//! parameters are reported together. Must not read a request or know an endpoint.

use std::collections::BTreeMap;

use super::{Format, Kind, Param, format};
use crate::pvesim::reply::Refusal;

/// A value as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// One value.
    Text(String),
    /// A JSON array, or a form key that came more than once.
    List(Vec<String>),
}

/// Verified parameters: booleans are `0` or `1`, lists joined by commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(pub BTreeMap<String, String>);

impl Params {
    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of a parameter that the schema requires.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// A boolean; absent is false.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("1")
    }

    /// A number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(|v| v.parse().ok())
    }

    /// The container in the path.
    #[must_use]
    pub fn vmid(&self) -> u32 {
        self.get("vmid").and_then(|v| v.parse().ok()).unwrap_or_default()
    }
}

/// Checks `given` against `declared`.
pub fn verify(declared: &[Param], given: BTreeMap<String, Raw>) -> Result<Params, Refusal> {
    let mut errors = BTreeMap::new();
    let mut good = BTreeMap::new();
    for (name, raw) in &given {
        match find(declared, name) {
            None => {
                errors.insert(name.clone(), NOT_DEFINED.to_owned());
            }
            Some(param) => {
                if let Some(other) = param.requires
                    && !given.contains_key(other)
                {
                    errors.insert(
                        other.to_owned(),
                        format!("missing property - '{name}' requires this property"),
                    );
                }
                match check(param, name, raw) {
                    Ok(value) => {
                        good.insert(name.clone(), value);
                    }
                    Err(text) => {
                        errors.insert(name.clone(), text);
                    }
                }
            }
        }
    }
    for param in declared.iter().filter(|p| !p.optional && !given.contains_key(p.name)) {
        errors.insert(param.name.to_owned(), MISSING.to_owned());
    }
    if errors.is_empty() { Ok(Params(good)) } else { Err(Refusal::Parameters(errors)) }
}

/// The text for an unknown parameter.
const NOT_DEFINED: &str =
    "property is not defined in schema and the schema does not allow additional properties";
/// The text for an absent one.
const MISSING: &str = "property is missing and it is not optional";

/// Finds a declaration by name, numbered families included.
fn find<'a>(declared: &'a [Param], name: &str) -> Option<&'a Param> {
    declared.iter().find(|p| same_name(p.name, name))
}

/// Is `name` meant by `declared`, which may be a numbered family?
fn same_name(declared: &str, name: &str) -> bool {
    let number = |n: &str| {
        !n.is_empty()
            && n.len() < 4
            && n.bytes().all(|b| b.is_ascii_digit())
            && (n == "0" || !n.starts_with('0'))
    };
    match declared.strip_suffix("[n]") {
        Some(family) => name.strip_prefix(family).is_some_and(number),
        None => declared == name,
    }
}

fn check(param: &Param, name: &str, raw: &Raw) -> Result<String, String> {
    let value = match raw {
        Raw::Text(value) => value.clone(),
        // Arrays are joined where the format is a list, and are of the wrong type elsewhere.
        Raw::List(values) => match param.format {
            Format::Named(f) if f.ends_with("-list") => values.join(","),
            _ => return Err(format!("type check ('{}') failed - got ARRAY", param.kind.name())),
        },
    };
    if !type_matches(param.kind, &value) {
        return Err(format!("type check ('{}') failed - got '{value}'", param.kind.name()));
    }
    match param.format {
        Format::Any => {}
        Format::Named(f) => format::check(f, &value).map_err(|text| format!("invalid format - {text}"))?,
        Format::Nested(properties) => {
            property_string(properties, name, &value)
                .map_err(|text| format!("invalid format - format error\n{text}"))?;
        }
    }
    limits(param, &value)?;
    Ok(value)
}

fn type_matches(kind: Kind, value: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let unsigned = value.strip_prefix(['+', '-']).unwrap_or(value);
    match kind {
        Kind::Str => true,
        Kind::Bool => value == "0" || value == "1",
        Kind::Int => digits(unsigned),
        Kind::Num => match unsigned.split_once('.') {
            Some((whole, part)) => (whole.is_empty() || digits(whole)) && digits(part),
            None => digits(unsigned),
        },
    }
}

fn limits(param: &Param, value: &str) -> Result<(), String> {
    let length = value.chars().count();
    if let Some(max) = param.max_len.filter(|max| length > *max) {
        return Err(format!("value may only be {max} characters long"));
    }
    if let Some(min) = param.min_len.filter(|min| length < *min) {
        return Err(format!("value must be at least {min} characters long"));
    }
    let number: f64 = value.parse().unwrap_or_default();
    if let Some(min) = param.min.filter(|min| number < *min as f64) {
        return Err(format!("value must have a minimum value of {min}"));
    }
    if let Some(max) = param.max.filter(|max| number > *max as f64) {
        return Err(format!("value must have a maximum value of {max}"));
    }
    if !param.choices.is_empty() && !param.choices.iter().any(|c| same_name(c, value)) {
        return Err(format!(
            "value '{value}' does not have a value in the enumeration '{}'",
            param.choices.join(", ")
        ));
    }
    if param.pattern && !format::pattern(param.name, value) {
        return Err("value does not match the regex pattern".to_owned());
    }
    Ok(())
}

/// Checks a `key=value,…` string; every fault is one line, prefixed with the parameter's name.
fn property_string(properties: &[Param], name: &str, value: &str) -> Result<(), String> {
    let mut faults = String::new();
    let mut seen = BTreeMap::new();
    for part in value.split(',').filter(|p| !p.trim().is_empty()) {
        let (key, text) = match part.split_once('=') {
            Some((key, text)) => (key.trim(), text),
            None => match properties.iter().find(|p| p.default_key) {
                Some(default) if !seen.contains_key(default.name) => (default.name, part),
                _ => {
                    return Err(format!(
                        "{name}: value without key, but schema does not define a default key\n"
                    ));
                }
            },
        };
        match find(properties, key) {
            None => faults.push_str(&format!("{name}.{key}: {NOT_DEFINED}\n")),
            Some(param) => {
                if let Err(text) = check(param, key, &Raw::Text(text.to_owned())) {
                    faults.push_str(&format!("{name}.{key}: {text}\n"));
                }
            }
        }
        seen.insert(key, ());
    }
    for missing in properties.iter().filter(|p| !p.optional && !seen.contains_key(p.name)) {
        faults.push_str(&format!("{name}.{}: {MISSING}\n", missing.name));
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// The text of an unknown parameter, for tests.
#[cfg(test)]
pub(super) fn tests_not_defined() -> &'static str {
    NOT_DEFINED
}
