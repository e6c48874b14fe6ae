//! What daemons tell each other so that nobody has to poll: that something moved, never what it is. Owns
//! the messages and their spelling; whoever is told reads the store. A lost one costs time, nothing else.

use crate::ids::{Installation, OperationId, Vmid};

/// Something moved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wake {
    /// An operation has new events, or has ended.
    Operation(OperationId),
    /// A person wishes something of an operation: its driver looks again.
    Wish(OperationId),
    /// Something was found out about a container.
    Container(Installation, Vmid),
    /// A lock or a slot was freed, or something was submitted.
    Queue,
    /// Rows of the listing were written.
    Inventory(Installation),
    /// Somebody asks for a poll of an installation, or nobody polls it any more.
    Poll(Installation),
    /// A remote was added, changed or removed.
    Remotes,
    /// A daemon is asked to hand over.
    Drain,
    /// Messages were lost, or may have been: anything may have moved.
    Anything,
}

impl Wake {
    /// As it travels: a letter and what it is about, without line breaks.
    #[must_use]
    pub fn encode(&self) -> String {
        match self {
            Self::Operation(id) => format!("o {id}"),
            Self::Wish(id) => format!("w {id}"),
            Self::Container(installation, vmid) => format!("c {installation} {vmid}"),
            Self::Queue => "q".to_owned(),
            Self::Inventory(installation) => format!("i {installation}"),
            Self::Poll(installation) => format!("p {installation}"),
            Self::Remotes => "r".to_owned(),
            Self::Drain => "d".to_owned(),
            Self::Anything => "a".to_owned(),
        }
    }

    /// Reads one; None = a message of a newer daemon, which means nothing here.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let wake = match words.next()? {
            "o" => Self::Operation(words.next()?.parse().ok()?),
            "w" => Self::Wish(words.next()?.parse().ok()?),
            "c" => Self::Container(Installation(words.next()?.to_owned()), words.next()?.parse().ok()?),
            "q" => Self::Queue,
            "i" => Self::Inventory(Installation(words.next()?.to_owned())),
            "p" => Self::Poll(Installation(words.next()?.to_owned())),
            "r" => Self::Remotes,
            "d" => Self::Drain,
            "a" => Self::Anything,
            _ => return None,
        };
        words.next().is_none().then_some(wake)
    }
}

/// Several in one message, led by who says them; without any it is a sign of life.
#[must_use]
pub fn message(from: &str, wakes: &[Wake]) -> String {
    wakes.iter().fold(format!("{from}\n"), |text, wake| text + &wake.encode() + "\n")
}

/// What a message says: nothing new when it is one of `me`, but that is heard as well. None = it is no message.
#[must_use]
pub fn read(text: &str, me: &str) -> Option<Vec<Wake>> {
    let (from, lines) = text.split_once('\n')?;
    let new = lines.lines().filter(|_| from != me);
    Some(new.filter_map(Wake::decode).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_for_the_others() {
        let text = message("one", &[Wake::Queue, Wake::Remotes]);
        assert_eq!(read(&text, "two"), Some(vec![Wake::Queue, Wake::Remotes]));
        assert_eq!(read(&text, "one"), Some(Vec::new()), "heard, and nothing new");
        assert_eq!(read(&message("one", &[]), "two"), Some(Vec::new()));
        assert_eq!(read("", "two"), None);
    }

    #[test]
    fn travels_and_ignores_what_it_does_not_know() {
        let id = OperationId::generate();
        let here = || Installation("ab12".into());
        let all = [
            Wake::Operation(id),
            Wake::Wish(id),
            Wake::Container(here(), 104),
            Wake::Queue,
            Wake::Inventory(here()),
            Wake::Poll(here()),
            Wake::Remotes,
            Wake::Drain,
            Wake::Anything,
        ];
        for wake in all {
            assert_eq!(Wake::decode(&wake.encode()), Some(wake));
        }
        for odd in ["", "z 1", "o", "o 1", "c ab", "q q", "c ab 104 5"] {
            assert_eq!(Wake::decode(odd), None, "{odd}");
        }
    }
}
