//! Many rows in one statement: a batch of a thousand targets must not hold the one writer for as long as a thousand
//! statements take. Owns the text of such a statement; what is bound is the caller's.

/// Rows in one statement; SQLite binds at most 32,766 values, Postgres 65,535.
pub(super) const ROWS: usize = 64;

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

/// `WITH new (a, b) AS (VALUES ($1, $2), …) `: bound rows as a table, in front of a statement that names `new`.
/// Each column with its type: Postgres takes what it is not told for text.
pub(super) fn table(columns: &[(&str, &str)], rows: usize) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let row = |row: usize| {
        let value = |(at, (_, kind)): (usize, &(&str, &str))| {
            format!("CAST(${} AS {kind})", row * columns.len() + at + 1)
        };
        let values: Vec<String> = columns.iter().enumerate().map(value).collect();
        format!("({})", values.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("WITH new ({}) AS (VALUES {}) ", names.join(", "), rows.join(", "))
}

/// In parts of at most [`ROWS`], whose sizes are powers of two: few texts of statements, so that the connection has
/// each of them prepared.
pub(super) fn parts<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = 1 << rows.len().min(ROWS).checked_ilog2()?;
        let (part, rest) = rows.split_at(size);
        rows = rest;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_has_its_number() {
        assert_eq!(insert("t (a, b)", 2, 2), "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)");
        assert_eq!(
            table(&[("a", "TEXT"), ("b", "BIGINT")], 2),
            "WITH new (a, b) AS (VALUES (CAST($1 AS TEXT), CAST($2 AS BIGINT)), \
             (CAST($3 AS TEXT), CAST($4 AS BIGINT))) "
        );
    }

    #[test]
    fn parts_are_powers_of_two_and_leave_nothing_out() {
        for many in 0..300 {
            let rows: Vec<usize> = (0..many).collect();
            let parts: Vec<&[usize]> = parts(&rows).collect();
            assert!(parts.iter().all(|part| part.len().is_power_of_two() && part.len() <= ROWS));
            assert_eq!(parts.concat(), rows);
        }
    }
}
