//! The journal as JSON, a page at a time: what was done and what happened, for other programs to keep. Owns the
//! shape of a line; holds no more than a page.

use lxc_core::ids::Micros;
use serde_json::{Map, Value};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Column, Row, ValueRef};

use super::{Result, Store, fail, get};

/// Rows of a page.
const PAGE: i64 = 1_000;

/// What can be exported, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Operations with their outcome.
    Operations,
    /// Events of operations and of the inventory.
    Events,
    /// Who asked for what.
    Audit,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Operations, Self::Events, Self::Audit];

    fn kind(self) -> &'static str {
        match self {
            Self::Operations => "Operation",
            Self::Events => "Event",
            Self::Audit => "AuditRecord",
        }
    }

    /// Its rows behind `$1`, oldest first. Ids of operations sort by time.
    fn sql(self, horizon: &str) -> String {
        match self {
            Self::Operations => format!(
                "SELECT id AS at, id, request_id, retry_of, verb, kind AS parameters, kind_version, installation, \
                 vmid, container_id, remote, name, node, actor, state, outcome, warnings, created_us, started_us, \
                 finished_us FROM operation WHERE id > $1 ORDER BY id LIMIT {PAGE}"
            ),
            Self::Events => format!(
                "SELECT CAST(cursor AS TEXT) AS at, cursor, operation_id, seq, time_us, type, installation, vmid, \
                 container_id, target, name, actor, data FROM event \
                 WHERE cursor > CAST($1 AS BIGINT) AND {horizon} ORDER BY cursor LIMIT {PAGE}"
            ),
            Self::Audit => format!(
                "SELECT CAST(id AS TEXT) AS at, id, time_us, actor, verb, target, operation_id, request_id, result, \
                 code, ended_us, detail FROM audit WHERE id > CAST($1 AS BIGINT) ORDER BY id LIMIT {PAGE}"
            ),
        }
    }

    /// Before the first.
    fn start(self) -> &'static str {
        match self {
            Self::Operations => "",
            Self::Events | Self::Audit => "0",
        }
    }
}

impl Store {
    /// A page of objects behind `after` (None = from the beginning), and where the next one goes on; None = that
    /// was the last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn export(&self, part: Part, after: Option<&str>) -> Result<(Vec<Value>, Option<String>)> {
        let rows = sqlx::query(AssertSqlSafe(part.sql(self.dialect.event_horizon())))
            .bind(after.unwrap_or(part.start()).to_owned())
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        let full = i64::try_from(rows.len()).unwrap_or(0) == PAGE;
        let next = rows.last().filter(|_| full).map(|row| get(row, "at")).transpose()?;
        Ok((rows.iter().map(|row| object(part, row)).collect::<Result<_>>()?, next))
    }
}

/// As lxcctl spells it: times in RFC 3339, what is JSON in the column as it is, null for not known.
fn object(part: Part, row: &AnyRow) -> Result<Value> {
    let mut fields = Map::from_iter([("kind".to_owned(), Value::from(part.kind()))]);
    for column in row.columns().iter().map(Column::name).filter(|name| *name != "at") {
        let null = row.try_get_raw(column).map_or(true, |value| value.is_null());
        let (name, value) = match column {
            _ if null => (column.trim_end_matches("_us"), Value::Null),
            "vmid" | "cursor" | "seq" | "kind_version" => (column, get::<i64>(row, column)?.into()),
            "id" if part == Part::Audit => (column, get::<i64>(row, column)?.into()),
            "data" | "outcome" | "warnings" | "parameters" => (column, json(get(row, column)?)),
            "actor" if part == Part::Audit => (column, json(get(row, column)?)),
            _ => match column.strip_suffix("_us") {
                Some(name) => (name, time(get(row, column)?)),
                None => (column, get::<String>(row, column)?.into()),
            },
        };
        fields.insert(name.to_owned(), value);
    }
    Ok(fields.into())
}

fn json(text: String) -> Value {
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

fn time(at: Micros) -> Value {
    jiff::Timestamp::from_microsecond(at).map_or(Value::Null, |time| time.to_string().into())
}
