//! Who has which role, as the configuration says it. Owns the spelling of users and groups; must not
//! look them up (`peer`).

use std::fmt;

use lxc_core::actor::Role;

/// A user or a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// `ops`
    User(String),
    /// `@wheel`
    Group(String),
}

impl Who {
    /// Reads `ops` or `@wheel`; None when it is empty or has spaces in it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, who): (&str, fn(String) -> Self) = match text.strip_prefix('@') {
            Some(group) => (group, Self::Group),
            None => (text, Self::User),
        };
        let good =
            !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@');
        good.then(|| who(name.to_owned()))
    }

    /// Whether a user of that name, in those groups, is meant.
    #[must_use]
    pub fn means(&self, user: &str, groups: &[String]) -> bool {
        match self {
            Self::User(name) => name == user,
            Self::Group(name) => groups.contains(name),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => f.write_str(name),
            Self::Group(name) => write!(f, "@{name}"),
        }
    }
}

/// A `[roles]` table. None = the key is not there, which is not the same as an empty list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// Everything.
    pub admin: Option<Vec<Who>>,
    /// Lifecycle and exec.
    pub operator: Option<Vec<Who>>,
    /// Reading.
    pub viewer: Option<Vec<Who>>,
}

impl Roles {
    /// The highest role a user has here, and the entry that gives it.
    #[must_use]
    pub fn of(&self, user: &str, groups: &[String]) -> Option<(Role, &Who)> {
        let lists =
            [(Role::Admin, &self.admin), (Role::Operator, &self.operator), (Role::Viewer, &self.viewer)];
        lists.into_iter().find_map(|(role, list)| {
            let who = list.as_ref()?.iter().find(|who| who.means(user, groups))?;
            Some((role, who))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_entry_counts() {
        assert_eq!(Who::parse("@wheel"), Some(Who::Group("wheel".into())));
        assert_eq!(Who::parse("ops").unwrap().to_string(), "ops");
        for bad in ["", "@", "a b", "@@x", "a@b"] {
            assert_eq!(Who::parse(bad), None, "{bad}");
        }
        let list = |names: &[&str]| Some(names.iter().filter_map(|name| Who::parse(name)).collect());
        let roles = Roles { admin: list(&["@wheel"]), operator: None, viewer: list(&["bob", "wheel"]) };
        let groups = ["wheel".to_owned()];
        assert_eq!(roles.of("bob", &groups).map(|found| found.0), Some(Role::Admin));
        assert_eq!(roles.of("bob", &[]).map(|found| found.0), Some(Role::Viewer));
        assert_eq!(roles.of("eve", &[]), None);
    }
}
