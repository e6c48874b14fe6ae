//! From a path to an endpoint.

use crate::pvesim::schema::Endpoint;
use crate::pvesim::schema::table::endpoints;

/// Values captured from a path.
pub(super) type Captured = Vec<(&'static str, String)>;

/// The endpoint for a method and a path, with what the path's placeholders stand for.
pub(super) fn find(method: &str, path: &str) -> Option<(&'static Endpoint, Captured)> {
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    endpoints().filter(|e| e.method == method).find_map(|e| Some((e, capture(e.path, &segments)?)))
}

fn capture(template: &'static str, segments: &[&str]) -> Option<Captured> {
    let mut captured = Captured::new();
    let mut rest = segments.iter();
    for part in template.split('/').filter(|s| !s.is_empty()) {
        let segment = rest.next()?;
        match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some("node") if !is_node_name(segment) => return None,
            Some(name) => captured.push((name, (*segment).to_owned())),
            None if part == *segment => {}
            None => return None,
        }
    }
    rest.next().is_none().then_some(captured)
}

fn is_node_name(segment: &str) -> bool {
    segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found_with_their_values() {
        let (endpoint, captured) = find("GET", "/nodes/pve/lxc/104/config").expect("known");
        assert_eq!(endpoint.path, "/nodes/{node}/lxc/{vmid}/config");
        assert_eq!(captured, [("node", "pve".to_owned()), ("vmid", "104".to_owned())]);
        assert!(find("DELETE", "/nodes/pve/lxc").is_none());
        assert!(find("GET", "/nosuch").is_none());
    }
}
