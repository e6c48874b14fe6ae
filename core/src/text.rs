//! Figures as people read them (CLI.md, rule 8). Pure text; must not know where it is printed.

/// `2s 1m 22s 6d 4h`: the two largest units, of whole seconds.
#[must_use]
pub fn span(total: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(size, _)| total >= *size).unwrap_or(3);
    let (size, unit) = units[first];
    let mut text = format!("{}{unit}", total / size);
    if let Some((next, unit)) = units.get(first + 1) {
        let rest = total % size / next;
        if rest > 0 {
            text.push_str(&format!(" {rest}{unit}"));
        }
    }
    text
}
