//! Who polls an installation, and what is new there for those who do not. Owns the number that goes up with
//! every write of one of its containers, in the same transaction: its row is locked until that commits, so
//! that whoever has read up to a number misses nothing below it.

use std::collections::HashSet;

use lxc_core::ids::{ContainerId, DaemonId, Installation, Micros};
use lxc_core::record::{ContainerRecord, NewEvent, Round};
use sqlx::AssertSqlSafe;

use super::container::{container_row, select, write_containers};
use super::{Connection, Result, Store, fail, get, get_parsed, json};

/// How the polling of an installation stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Polling {
    /// Number of its last write.
    pub version: i64,
    /// Number of the last write of a round.
    pub round: i64,
    /// How often a poll was asked for.
    pub asked: i64,
    /// How often of those a round has answered.
    pub answered: i64,
}

/// What was written behind a number.
#[derive(Debug, Default)]
pub struct Newer {
    /// Containers that are not closed.
    pub rows: Vec<ContainerRecord>,
    /// Closed ones.
    pub closed: HashSet<ContainerId>,
    /// The last round, when it is newer.
    pub round: Option<Round>,
}

/// The number of this transaction's writes to the containers of an installation.
pub(super) async fn next_version(tx: &mut Connection, installation: &Installation) -> Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO poller (installation, version) VALUES ($1, 1) \
         ON CONFLICT (installation) DO UPDATE SET version = poller.version + 1 RETURNING version",
    )
    .bind(installation.0.clone())
    .fetch_one(tx)
    .await
    .map_err(fail)
}

/// Nobody polls it any more. Its number stays: a remote that comes back goes on from there.
pub(super) async fn abandon(tx: &mut Connection, installation: &Installation) -> Result<i64> {
    let version = next_version(tx, installation).await?;
    sqlx::query("UPDATE poller SET daemon_id = NULL, round = NULL WHERE installation = $1")
        .bind(installation.0.clone())
        .execute(tx)
        .await
        .map_err(fail)?;
    Ok(version)
}

impl Store {
    /// Makes `me` the poller, unless another daemon is that has a lease and is not handing over; with
    /// `anyway` even then. Answers whether `me` is it now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_poller(
        &self,
        installation: &Installation,
        me: DaemonId,
        anyway: bool,
        now: Micros,
    ) -> Result<bool> {
        let held: Option<Option<String>> =
            sqlx::query_scalar("SELECT daemon_id FROM poller WHERE installation = $1")
                .bind(installation.0.clone())
                .fetch_optional(&self.reader)
                .await
                .map_err(fail)?;
        if held.flatten().is_some_and(|held| held == me.to_string()) {
            return Ok(true);
        }
        let by = self.dialect.now("$3");
        let sql = format!(
            "INSERT INTO poller (installation, version, daemon_id) VALUES ($1, 0, $2) \
             ON CONFLICT (installation) DO UPDATE SET daemon_id = excluded.daemon_id \
             WHERE $4 = 1 OR poller.daemon_id IS NULL OR poller.daemon_id NOT IN \
             (SELECT id FROM daemon WHERE lease_us > {by} AND drain_us IS NULL)"
        );
        let done = sqlx::query(AssertSqlSafe(sql))
            .bind(installation.0.clone())
            .bind(me.to_string())
            .bind(now)
            .bind(i64::from(anyway))
            .execute(&self.writer)
            .await
            .map_err(fail)?;
        Ok(done.rows_affected() > 0)
    }

    /// Lets go of every installation that `me` polls, and answers which.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_pollers(&self, me: DaemonId) -> Result<Vec<Installation>> {
        let names: Vec<String> = sqlx::query_scalar(
            "UPDATE poller SET daemon_id = NULL WHERE daemon_id = $1 RETURNING installation",
        )
        .bind(me.to_string())
        .fetch_all(&self.writer)
        .await
        .map_err(fail)?;
        Ok(names.into_iter().map(Installation).collect())
    }

    /// How the polling stands, of every installation that was ever written about.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn polling(&self) -> Result<Vec<(Installation, Polling)>> {
        let rows = sqlx::query("SELECT installation, version, round_version, asked, answered FROM poller")
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        rows.iter()
            .map(|row| {
                let polling = Polling {
                    version: get(row, "version")?,
                    round: get(row, "round_version")?,
                    asked: get(row, "asked")?,
                    answered: get(row, "answered")?,
                };
                Ok((Installation(get(row, "installation")?), polling))
            })
            .collect()
    }

    /// Asks for a poll, and answers the number of the asking: a round that answers it began afterwards.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ask_poll(&self, installation: &Installation) -> Result<i64> {
        let asked: Option<i64> =
            sqlx::query_scalar("UPDATE poller SET asked = asked + 1 WHERE installation = $1 RETURNING asked")
                .bind(installation.0.clone())
                .fetch_optional(&self.writer)
                .await
                .map_err(fail)?;
        Ok(asked.unwrap_or(0))
    }

    /// What was written about an installation behind `known`, and the round if it is newer than that.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn newer(&self, installation: &Installation, known: i64) -> Result<Newer> {
        let written = "installation = $1 AND version > $2 AND ($2 > 0 OR closed_us IS NULL)";
        let mut newer = Newer::default();
        let rows = sqlx::query(select(", closed_us", written))
            .bind(installation.0.clone())
            .bind(known)
            .fetch_all(&self.reader)
            .await
            .map_err(fail)?;
        for row in &rows {
            if super::get::<Option<Micros>>(row, "closed_us")?.is_some() {
                newer.closed.insert(get_parsed(row, "id")?);
            } else {
                newer.rows.push(container_row(row)?);
            }
        }
        let round: Option<Option<String>> =
            sqlx::query_scalar("SELECT round FROM poller WHERE installation = $1 AND round_version > $2")
                .bind(installation.0.clone())
                .bind(known)
                .fetch_optional(&self.reader)
                .await
                .map_err(fail)?;
        // One of a newer lxcd that cannot be read is as good as none: the rows are there all the same.
        newer.round = round.flatten().and_then(|text| serde_json::from_str(&text).ok());
        Ok(newer)
    }

    /// What the poller has seen: as [`Self::record_containers`], and the round itself where other daemons read
    /// it. False = `me` is not the poller any more, and nothing was written.
    ///
    /// # Errors
    /// When the database fails; then nothing is written.
    #[expect(clippy::too_many_arguments, reason = "one transaction writes all of it")]
    pub async fn record_round(
        &self,
        me: DaemonId,
        installation: &Installation,
        rows: &[ContainerRecord],
        closed: &[ContainerId],
        events: &[NewEvent],
        round: Option<(&Round, i64)>,
        now: Micros,
    ) -> Result<bool> {
        let mut tx = self.write().await?;
        let version: Option<i64> = sqlx::query_scalar(
            "UPDATE poller SET version = version + 1 WHERE installation = $1 AND daemon_id = $2 \
             RETURNING version",
        )
        .bind(installation.0.clone())
        .bind(me.to_string())
        .fetch_optional(&mut *tx)
        .await
        .map_err(fail)?;
        let Some(version) = version else { return Ok(false) };
        write_containers(&mut tx, version, rows, closed, events, now).await?;
        if let Some((round, answered)) = round {
            sqlx::query(
                "UPDATE poller SET round = $2, round_version = $3, answered = $4 WHERE installation = $1",
            )
            .bind(installation.0.clone())
            .bind(json(round)?)
            .bind(version)
            .bind(answered)
            .execute(&mut *tx)
            .await
            .map_err(fail)?;
        }
        tx.commit().await.map_err(fail)?;
        Ok(true)
    }
}
