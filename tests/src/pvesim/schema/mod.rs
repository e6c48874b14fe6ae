//! Parameter declarations of the served endpoints, and their verification.
//!
//! Owns what Proxmox's JSON schema says about parameters: types, limits, formats and the exact texts of
//! a refusal. `table` lists the endpoints, `format` the formats. A test holds the table against the official
//! schema. Must not know what an endpoint does.

pub mod format;
pub mod option;
pub mod table;
mod verify;

#[cfg(test)]
mod tests;

pub use verify::{Params, Raw, verify};

/// A parameter's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Str,
    /// A whole number.
    Int,
    /// A number.
    Num,
    /// 0 or 1.
    Bool,
}

impl Kind {
    /// The schema's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Str => "string",
            Self::Int => "integer",
            Self::Num => "number",
            Self::Bool => "boolean",
        }
    }
}

/// A parameter's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// None declared.
    Any,
    /// A named format, see [`mod@format`].
    Named(&'static str),
    /// A property string (`key=value,…`) with these properties.
    Nested(&'static [Param]),
}

/// One declared parameter. A name ending in `[n]` stands for the numbered family (`net0`, `net1`, …).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// May it be absent?
    pub optional: bool,
    /// Its format.
    pub format: Format,
    /// Smallest value.
    pub min: Option<i64>,
    /// Largest value.
    pub max: Option<i64>,
    /// Shortest text.
    pub min_len: Option<usize>,
    /// Longest text.
    pub max_len: Option<usize>,
    /// The only values allowed, if any are listed; `mp[n]` stands for a numbered family.
    pub choices: &'static [&'static str],
    /// Another parameter that must be present with it.
    pub requires: Option<&'static str>,
    /// May its name be left out in a property string?
    pub default_key: bool,
    /// Does the schema declare a pattern? (Checked by [`mod@format`] where it matters.)
    pub pattern: bool,
}

impl Param {
    const fn new(name: &'static str, kind: Kind, optional: bool) -> Self {
        Self {
            name,
            kind,
            optional,
            format: Format::Any,
            min: None,
            max: None,
            min_len: None,
            max_len: None,
            choices: &[],
            requires: None,
            default_key: false,
            pattern: false,
        }
    }

    const fn named(mut self, format: &'static str) -> Self {
        self.format = Format::Named(format);
        self
    }

    const fn nested(mut self, properties: &'static [Param]) -> Self {
        self.format = Format::Nested(properties);
        self
    }

    const fn min(mut self, min: i64) -> Self {
        self.min = Some(min);
        self
    }

    const fn range(mut self, min: i64, max: i64) -> Self {
        self.min = Some(min);
        self.max = Some(max);
        self
    }

    const fn min_len(mut self, len: usize) -> Self {
        self.min_len = Some(len);
        self
    }

    const fn max_len(mut self, len: usize) -> Self {
        self.max_len = Some(len);
        self
    }

    const fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }

    const fn requires(mut self, other: &'static str) -> Self {
        self.requires = Some(other);
        self
    }

    const fn default_key(mut self) -> Self {
        self.default_key = true;
        self
    }

    const fn pattern(mut self) -> Self {
        self.pattern = true;
        self
    }
}

/// A required parameter.
const fn req(name: &'static str, kind: Kind) -> Param {
    Param::new(name, kind, false)
}

/// An optional parameter.
const fn opt(name: &'static str, kind: Kind) -> Param {
    Param::new(name, kind, true)
}

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Perm {
    /// Nobody needs to be known.
    World,
    /// Every known user; the endpoint filters or checks by itself.
    User,
    /// Whoever may change the permissions of the path given as a parameter.
    Modify,
    /// All of these privileges on the path.
    All(&'static str, &'static [&'static str]),
    /// One of these privileges on the path.
    Any(&'static str, &'static [&'static str]),
}

/// One served endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// HTTP method.
    pub method: &'static str,
    /// Path template below `/api2/json`.
    pub path: &'static str,
    /// Who may call it.
    pub perm: Perm,
    /// Its parameters, those in the path included.
    pub params: &'static [Param],
    /// May an API token call it?
    pub tokens: bool,
    /// Is it handed to pvedaemon (which answers 595 when that is down)?
    pub protected: bool,
    /// Which operation answers it.
    pub op: table::Op,
}
