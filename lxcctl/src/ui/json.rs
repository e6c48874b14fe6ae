//! JSON and YAML. Owns the envelope of lists; must not know what is in them.

use lxc_core::error::{Code, Error};
use serde::Serialize;

/// Version of the JSON contract; fields are only ever added to it.
pub const API_VERSION: &str = "v1";

/// A list: the same shape for one and for many.
#[derive(Debug, Serialize)]
pub struct List<'a, T, W> {
    api_version: &'static str,
    kind: &'static str,
    items: &'a [T],
    warnings: &'a [W],
}

impl<'a, T, W> List<'a, T, W> {
    /// A list of that kind.
    #[must_use]
    pub fn new(kind: &'static str, items: &'a [T], warnings: &'a [W]) -> Self {
        Self { api_version: API_VERSION, kind, items, warnings }
    }
}

/// One object that stands alone: the same fields behind the version.
#[derive(Debug, Serialize)]
pub struct Single<'a, T> {
    api_version: &'static str,
    #[serde(flatten)]
    item: &'a T,
}

impl<'a, T> Single<'a, T> {
    /// The object with the version in front.
    #[must_use]
    pub fn new(item: &'a T) -> Self {
        Self { api_version: API_VERSION, item }
    }
}

/// Indented by two, as people and `jq` read it.
///
/// # Errors
/// What cannot be written as JSON, which is a fault of ours.
pub fn pretty<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string_pretty(value).map_err(fault)
}

/// One object on one line.
///
/// # Errors
/// What cannot be written as JSON, which is a fault of ours.
pub fn line<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(fault)
}

/// YAML with the same fields.
///
/// # Errors
/// What cannot be written as YAML, which is a fault of ours.
pub fn yaml<T: Serialize>(value: &T) -> Result<String, Error> {
    let text = serde_yaml_ng::to_string(value).map_err(fault)?;
    Ok(text.trim_end().to_owned())
}

fn fault(error: impl std::fmt::Display) -> Error {
    Error::new(Code::Internal, "the answer cannot be written").because(error.to_string())
}
