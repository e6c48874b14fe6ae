//! The `--token` and `--user` arguments.
//!
//! Owns their grammar: `user@realm!id=secret[:GRANT,…]` where a grant is `NAME[@PATH]`, NAME a role, a
//! privilege or privileges joined by `+`, PATH defaults to `/`. Without grants the owner may do everything.

use super::roles;

/// A token as it is given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSpec {
    /// `user@realm`.
    pub user: String,
    /// The part after `!`; empty for a user.
    pub id: String,
    /// The secret, or a user's password.
    pub secret: String,
    /// What it may do: (role, path). `None` is everything its user may, and the user everything.
    pub grants: Option<Vec<(String, String)>>,
}

/// What is wrong with such an argument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// No `=`.
    #[error("'{0}' has no '=': write user@realm!id=secret")]
    NoSecret(String),
    /// No realm.
    #[error("'{0}' names no realm: write user@realm!id=secret")]
    NoRealm(String),
    /// No token id.
    #[error("'{0}' names no token id: write user@realm!id=secret")]
    NoId(String),
    /// Unknown role or privilege.
    #[error("'{0}' is neither a role nor a privilege")]
    UnknownGrant(String),
}

impl TokenSpec {
    /// Parses a token.
    pub fn token(text: &str) -> Result<Self, SpecError> {
        let spec = Self::user(text)?;
        let (user, id) = spec.user.split_once('!').ok_or_else(|| SpecError::NoId(spec.user.clone()))?;
        Ok(Self { user: user.to_owned(), id: id.to_owned(), ..spec.clone() })
    }

    /// Parses a user with a password.
    pub fn user(text: &str) -> Result<Self, SpecError> {
        let (name, rest) = text.split_once('=').ok_or_else(|| SpecError::NoSecret(text.to_owned()))?;
        if !name.contains('@') {
            return Err(SpecError::NoRealm(name.to_owned()));
        }
        let (secret, grants) = match rest.split_once(':') {
            Some((secret, grants)) => (secret, Some(parse_grants(grants)?)),
            None => (rest, None),
        };
        Ok(Self { user: name.to_owned(), id: String::new(), secret: secret.to_owned(), grants })
    }
}

fn parse_grants(text: &str) -> Result<Vec<(String, String)>, SpecError> {
    let grant = |item: &str| {
        let (name, path) = item.split_once('@').unwrap_or((item, "/"));
        match roles::role(name) {
            Some(_) => Ok((name.to_owned(), path.to_owned())),
            None => Err(SpecError::UnknownGrant(name.to_owned())),
        }
    };
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(grant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_may_carry_grants() {
        let spec = TokenSpec::token("ops@pve!t1=abc:PVEVMUser@/vms/104,VM.Audit").expect("parses");
        assert_eq!((spec.user.as_str(), spec.id.as_str(), spec.secret.as_str()), ("ops@pve", "t1", "abc"));
        let grants = spec.grants.unwrap_or_default();
        assert_eq!(grants, [("PVEVMUser".into(), "/vms/104".into()), ("VM.Audit".into(), "/".into())]);
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(TokenSpec::token("x"), Err(SpecError::NoSecret("x".into())));
        assert_eq!(TokenSpec::token("root@pam=s"), Err(SpecError::NoId("root@pam".into())));
        assert_eq!(TokenSpec::token("a@b!c=s:Bogus"), Err(SpecError::UnknownGrant("Bogus".into())));
    }
}
