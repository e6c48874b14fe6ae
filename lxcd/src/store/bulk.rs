//! Many rows in one statement: a batch of a thousand targets must not hold the one writer for as long as a thousand
//! statements take. Owns the text of such a statement; what is bound is the caller's.

/// Rows in one statement; SQLite binds at most 32,766 values, Postgres 65,535.
pub(super) const ROWS: usize = 50;

/// `INSERT INTO {head} VALUES ($1, $2), ($3, $4) …`, `columns` values in each of `rows` rows.
pub(super) fn insert(head: &str, columns: usize, rows: usize) -> String {
    let row = |row: usize| {
        let values: Vec<String> =
            (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", values.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("INSERT INTO {head} VALUES {}", rows.join(", "))
}

#[cfg(test)]
mod tests {
    #[test]
    fn each_value_has_its_number() {
        assert_eq!(super::insert("t (a, b)", 2, 2), "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)");
    }
}
