//! How people name containers: one grammar for every verb (`104`, `web-1`, `homelab/web-*`,
//! `-l 'tag=web,status=running|stopped'`). Owns parsing, matching and the caret errors; must not know
//! where containers come from, nor whether a name is ambiguous (that takes the whole fleet).

mod error;
mod glob;
mod parse;
#[cfg(test)]
mod tests;

pub use error::{Place, SelectorError, quote};
pub use glob::Pattern;

/// What a person typed, unread: the words, the `-l` expressions and what narrows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// TARGET words.
    pub targets: Vec<String>,
    /// `-l` expressions; several mean AND.
    pub labels: Vec<String>,
    /// `--all`
    pub all: bool,
    /// `--remote` or `LXCCTL_REMOTE`.
    pub remote: Option<String>,
}

impl Selection {
    /// True when nothing was typed at all; a listing then means everything, a verb refuses.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.labels.is_empty() && !self.all
    }

    /// The selection in one line, for messages and the record: `tag=web,status=error`.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut parts = self.targets.clone();
        if !self.labels.is_empty() {
            parts.push(self.labels.join(","));
        }
        if self.all {
            parts.push("--all".to_owned());
        }
        if let Some(remote) = &self.remote {
            parts.push(if parts.is_empty() { format!("remote={remote}") } else { format!("on {remote}") });
        }
        parts.join(" ")
    }
}

/// A selection that has been read and can be matched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The words; a container has to match one of them, if there are any.
    pub words: Vec<Word>,
    /// The terms of all `-l` expressions; a container has to match every one.
    pub terms: Vec<Term>,
    /// `--all`
    pub all: bool,
    /// Only this remote.
    pub remote: Option<String>,
}

/// One TARGET word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As typed.
    pub text: String,
    /// What stands before the slash.
    pub remote: Option<Pattern>,
    /// What stands after it.
    pub what: What,
}

/// The part of a word that names the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// All digits.
    Vmid(u32),
    /// A hostname, to the letter.
    Name(String),
    /// A glob over hostnames; `*` also takes containers without one.
    Glob(Pattern),
}

/// What a term looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// Name of the remote.
    Remote,
    /// Node it is on.
    Node,
    /// Its number.
    Vmid,
    /// Its hostname.
    Name,
    /// Any of its tags.
    Tag,
    /// The one word people read.
    Status,
    /// Ours: creating, ready, error, deleting.
    Lifecycle,
    /// Proxmox's: running, stopped.
    Power,
    /// Our template it was made from.
    Template,
    /// Its resource pool.
    Pool,
}

impl Key {
    /// Every key, in the order people are told about them.
    pub const ALL: [Self; 10] = [
        Self::Remote,
        Self::Node,
        Self::Vmid,
        Self::Name,
        Self::Tag,
        Self::Status,
        Self::Lifecycle,
        Self::Power,
        Self::Template,
        Self::Pool,
    ];

    /// The word in front of the `=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::Node => "node",
            Self::Vmid => "vmid",
            Self::Name => "name",
            Self::Tag => "tag",
            Self::Status => "status",
            Self::Lifecycle => "lifecycle",
            Self::Power => "power",
            Self::Template => "template",
            Self::Pool => "pool",
        }
    }

    /// True for what only a node that answers can tell.
    const fn is_state(self) -> bool {
        matches!(self, Self::Status | Self::Lifecycle | Self::Power)
    }

    /// The only values it can have, where that is known beforehand.
    #[must_use]
    pub const fn words(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Status => Some(&["running", "stopped", "creating", "deleting", "error", "unknown"]),
            Self::Lifecycle => Some(&["creating", "ready", "error", "deleting"]),
            Self::Power => Some(&["running", "stopped"]),
            _ => None,
        }
    }
}

/// `key=a|b` or `key!=a|b`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// What it looks at.
    pub key: Key,
    /// `!=`
    pub negated: bool,
    /// The alternatives; never empty.
    pub values: Vec<Pattern>,
}

/// What is known about one container, borrowed from whoever knows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// Name of its remote.
    pub remote: &'a str,
    /// Node it is on.
    pub node: Option<&'a str>,
    /// Its number.
    pub vmid: u32,
    /// Its hostname.
    pub name: Option<&'a str>,
    /// Its tags.
    pub tags: &'a [String],
    /// The one word people read.
    pub status: &'a str,
    /// Ours.
    pub lifecycle: &'a str,
    /// Proxmox's.
    pub power: Option<&'a str>,
    /// Our template it was made from.
    pub template: Option<&'a str>,
    /// Its resource pool.
    pub pool: Option<&'a str>,
}

impl Query {
    /// Reads a selection. An empty one is a query for everything; verbs ask [`Selection::is_empty`] first.
    ///
    /// # Errors
    /// The first word or expression that cannot be read, with its place.
    pub fn parse(selection: &Selection) -> Result<Self, SelectorError> {
        let words = selection.targets.iter().map(|text| parse::word(text)).collect::<Result<_, _>>()?;
        let mut terms = Vec::new();
        for text in &selection.labels {
            terms.extend(parse::label(text)?);
        }
        let remote = selection.remote.clone().filter(|name| !name.is_empty());
        Ok(Self { words, terms, all: selection.all, remote })
    }

    /// Does this query pick that container?
    #[must_use]
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        self.matches_whatever_state(facts)
            && self.terms.iter().filter(|term| term.key.is_state()).all(|term| term.matches(facts))
    }

    /// As [`Self::matches`], whatever the state is: which rows of a node that does not answer belong to a list.
    #[must_use]
    pub fn matches_whatever_state(&self, facts: &Facts<'_>) -> bool {
        self.remote.as_deref().is_none_or(|remote| remote == facts.remote)
            && (self.words.is_empty() || self.words.iter().any(|word| word.matches(facts)))
            && self.terms.iter().filter(|term| !term.key.is_state()).all(|term| term.matches(facts))
    }

    /// Could it pick anything in that remote? Judged by the remote's name alone.
    #[must_use]
    pub fn reaches(&self, remote: &str) -> bool {
        let facts = Facts { remote, ..Facts::default() };
        let named = |word: &Word| word.remote.as_ref().is_none_or(|pattern| pattern.matches(remote));
        self.remote.as_deref().is_none_or(|only| only == remote)
            && (self.words.is_empty() || self.words.iter().any(named))
            && self.terms.iter().filter(|term| term.key == Key::Remote).all(|term| term.matches(&facts))
    }

    /// True when it picks everything.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.words.is_empty() && self.terms.is_empty()
    }

    /// True when a glob, a selector or --all picks the containers instead of their names.
    #[must_use]
    pub fn by_pattern(&self) -> bool {
        self.all || !self.terms.is_empty() || self.words.iter().any(Word::is_pattern)
    }

    /// True for --all and for a bare `*`: over several remotes that needs --remote.
    #[must_use]
    pub fn counts_as_all(&self) -> bool {
        let bare = |word: &Word| {
            word.remote.is_none() && matches!(&word.what, What::Glob(glob) if glob.is_everything())
        };
        self.remote.is_none() && self.terms.is_empty() && (self.all || self.words.iter().any(bare))
    }
}

impl Word {
    /// The word for exactly this number.
    #[must_use]
    pub fn vmid(vmid: u32) -> Self {
        Self { text: vmid.to_string(), remote: None, what: What::Vmid(vmid) }
    }

    /// Does this word name that container?
    #[must_use]
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        self.remote.as_ref().is_none_or(|remote| remote.matches(facts.remote))
            && match &self.what {
                What::Vmid(vmid) => *vmid == facts.vmid,
                What::Name(name) => facts.name == Some(name.as_str()),
                What::Glob(glob) => glob.matches(facts.name.unwrap_or_default()),
            }
    }

    /// True when it may pick several on purpose.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        matches!(self.what, What::Glob(_)) || self.remote.as_ref().is_some_and(Pattern::is_glob)
    }
}

impl Term {
    /// Does this term hold for that container? What it does not have matches only `!=`.
    #[must_use]
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        let any = |text: &str| self.values.iter().any(|value| value.matches(text));
        let found = match self.key {
            Key::Remote => any(facts.remote),
            Key::Node => facts.node.is_some_and(any),
            Key::Vmid => any(&facts.vmid.to_string()),
            Key::Name => facts.name.is_some_and(any),
            Key::Tag => facts.tags.iter().any(|tag| any(tag)),
            Key::Status => any(facts.status),
            Key::Lifecycle => any(facts.lifecycle),
            Key::Power => facts.power.is_some_and(any),
            Key::Template => facts.template.is_some_and(any),
            Key::Pool => facts.pool.is_some_and(any),
        };
        found != self.negated
    }
}
