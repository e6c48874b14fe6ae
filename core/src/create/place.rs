//! Which node a container is put on when nobody says. Pure: the nodes in, one of them out, with the reason.

use crate::text;

/// A node, as far as placing looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placing {
    /// Its name.
    pub name: String,
    /// It answers.
    pub online: bool,
    /// Bytes of memory nobody uses; None = it may not be seen.
    pub free: Option<u64>,
    /// Containers that are being made there at the moment.
    pub making: u32,
    /// How near the image that is wanted is.
    pub image: Nearness,
    /// What is to be done inside can be done there; nothing to be done is as good.
    pub workable: bool,
}

/// How near an OS image is to a node; what is greater is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// It has not got it.
    Away,
    /// It could have it downloaded, and somebody wishes that.
    Download,
    /// It is there.
    There,
}

/// The node with most free memory among those that answer, to which the image is nearest, and that can be worked on.
/// `memory` (bytes) is taken off for each container on its way there, so that ten creates at once do not all go to one
/// node.
#[must_use]
pub fn place(nodes: &[Placing], memory: u64) -> Option<(String, String)> {
    let online = || nodes.iter().filter(|node| node.online);
    let left =
        |node: &Placing| node.free.unwrap_or(0).saturating_sub(memory.saturating_mul(u64::from(node.making)));
    // Where none has what is wanted, nor can get it, the pre-flight says so: the choice is as good as any.
    let most = online().map(|node| (node.image, node.workable)).max()?;
    let best = online().filter(|node| (node.image, node.workable) == most).max_by(|a, b| {
        left(a).cmp(&left(b)).then_with(|| b.making.cmp(&a.making)).then_with(|| b.name.cmp(&a.name))
    })?;
    let why = match (online().count(), best.free) {
        (1, _) => format!("{} is the only node that answers", best.name),
        (_, Some(_)) => format!("{} has most free memory ({})", best.name, text::bytes(left(best))),
        (_, None) => format!("{} comes first; the free memory of the nodes may not be seen", best.name),
    };
    Some((best.name.clone(), why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, free: u64) -> Placing {
        Placing {
            name: name.into(),
            online: true,
            free: Some(free << 30),
            making: 0,
            image: Nearness::There,
            workable: true,
        }
    }

    #[test]
    fn most_free_memory_wins_and_what_is_on_its_way_counts() {
        let nodes = [node("pve1", 4), node("pve2", 21), node("pve3", 8)];
        let (name, why) = place(&nodes, 2 << 30).unwrap();
        assert_eq!((name.as_str(), why.as_str()), ("pve2", "pve2 has most free memory (21Gi)"));
        let busy = Placing { making: 8, ..node("pve2", 21) };
        assert_eq!(place(&[node("pve1", 4), busy, node("pve3", 8)], 2 << 30).unwrap().0, "pve3");
        let away = Placing { online: false, ..node("pve2", 21) };
        assert_eq!(place(&[node("pve1", 4), away], 0).unwrap().0, "pve1");
        let bare = Placing { image: Nearness::Away, ..node("pve2", 21) };
        assert_eq!(place(&[node("pve1", 4), bare], 0).unwrap().0, "pve1");
        let locked = Placing { workable: false, ..node("pve2", 21) };
        assert_eq!(place(&[node("pve1", 4), locked.clone()], 0).unwrap().0, "pve1");
        assert_eq!(
            place(&[Placing { image: Nearness::Away, ..node("pve1", 4) }, locked], 0).unwrap().0,
            "pve2"
        );
        let gets = Placing { image: Nearness::Download, ..node("pve1", 4) };
        let bare = Placing { image: Nearness::Away, ..node("pve2", 21) };
        assert_eq!(place(&[gets.clone(), bare], 0).unwrap().0, "pve1");
        assert_eq!(
            place(&[gets, node("pve3", 1)], 0).unwrap().0,
            "pve3",
            "what is there need not be brought"
        );
        assert_eq!(place(&[], 0), None);
    }
}
