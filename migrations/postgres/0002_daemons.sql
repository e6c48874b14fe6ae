-- Several daemons: who polls an installation, what the poller saw last, who is to hand over.

-- One row per installation. `version` goes up with every write of one of its containers, in the same
-- transaction, and containers carry the one they were written with: what is newer is read by number.
CREATE TABLE poller (
    installation  TEXT PRIMARY KEY,
    version       BIGINT NOT NULL,
    daemon_id     TEXT,
    round         TEXT,
    round_version BIGINT NOT NULL DEFAULT 0,
    asked         BIGINT NOT NULL DEFAULT 0,
    answered      BIGINT NOT NULL DEFAULT 0
);
INSERT INTO poller (installation, version) SELECT installation, MAX(version) FROM container GROUP BY installation;
CREATE INDEX container_version ON container (installation, version);

-- drain_us: asked to hand over; drained_us: drives nothing any more, whatever its lease says.
ALTER TABLE daemon ADD COLUMN drain_us BIGINT;
ALTER TABLE daemon ADD COLUMN drained_us BIGINT;
