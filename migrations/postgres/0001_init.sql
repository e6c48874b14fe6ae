-- Portable columns: TEXT ids and JSON, BIGINT microseconds UTC and 0/1 flags. The SQLite file differs
-- only in how a row number is made. States are spelled as in lxc_core::op::state.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- One run of one lxcd process; its lease decides who may claim what it left behind.
CREATE TABLE daemon (
    id           TEXT PRIMARY KEY,
    host         TEXT   NOT NULL,
    pid          BIGINT NOT NULL,
    state_id     TEXT   NOT NULL,
    version      TEXT   NOT NULL,
    started_us   BIGINT NOT NULL,
    heartbeat_us BIGINT NOT NULL,
    lease_us     BIGINT NOT NULL
);

CREATE TABLE remote (
    name         TEXT PRIMARY KEY,
    installation TEXT   NOT NULL UNIQUE,
    urls         TEXT   NOT NULL,
    token_id     TEXT   NOT NULL,
    token_secret TEXT   NOT NULL,
    ca_pem       TEXT,
    owner        TEXT   NOT NULL,
    is_default   BIGINT NOT NULL CHECK (is_default IN (0, 1)),
    pve_version  TEXT,
    cluster      TEXT,
    created_us   BIGINT NOT NULL
);

CREATE TABLE pin (
    remote       TEXT   NOT NULL REFERENCES remote (name) ON UPDATE CASCADE ON DELETE CASCADE,
    url          TEXT   NOT NULL,
    node         TEXT,
    fingerprint  TEXT   NOT NULL,
    source       TEXT   NOT NULL CHECK (source IN ('person', 'node')),
    not_after_us BIGINT,
    PRIMARY KEY (remote, url)
);

-- One row per incarnation; closed_us ends it.
CREATE TABLE container (
    id            TEXT PRIMARY KEY,
    installation  TEXT   NOT NULL,
    vmid          BIGINT NOT NULL,
    name          TEXT,
    node          TEXT   NOT NULL,
    power         TEXT CHECK (power IN ('running', 'stopped')),
    lifecycle     TEXT   NOT NULL CHECK (lifecycle IN ('creating', 'ready', 'error', 'deleting')),
    live          TEXT   NOT NULL,
    config        TEXT,
    hwaddrs       TEXT   NOT NULL,
    marker        TEXT,
    pool          TEXT,
    ips           TEXT   NOT NULL,
    template      TEXT,
    attention     TEXT,
    error_op      TEXT,
    first_seen_us BIGINT NOT NULL,
    observed_us   BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    gone_since_us BIGINT,
    closed_us     BIGINT
);
CREATE UNIQUE INDEX container_open ON container (installation, vmid) WHERE closed_us IS NULL;

CREATE TABLE request (
    id            TEXT PRIMARY KEY,
    digest        TEXT   NOT NULL,
    actor         TEXT   NOT NULL,
    actor_name    TEXT   NOT NULL,
    verb          TEXT   NOT NULL,
    options       TEXT   NOT NULL,
    selector_text TEXT   NOT NULL,
    max_parallel  BIGINT NOT NULL,
    max_per_node  BIGINT NOT NULL,
    on_error_stop BIGINT NOT NULL CHECK (on_error_stop IN (0, 1)),
    pause_us      BIGINT NOT NULL,
    created_us    BIGINT NOT NULL
);

-- Refers to its container by value: the operation outlives it.
CREATE TABLE operation (
    id                TEXT PRIMARY KEY,
    request_id        TEXT   NOT NULL REFERENCES request (id),
    idx               BIGINT NOT NULL,
    verb              TEXT   NOT NULL,
    kind              TEXT   NOT NULL,
    kind_version      BIGINT NOT NULL,
    weight            TEXT   NOT NULL CHECK (weight IN ('none', 'power', 'heavy')),
    installation      TEXT   NOT NULL,
    vmid              BIGINT NOT NULL,
    container_id      TEXT   NOT NULL,
    remote            TEXT   NOT NULL,
    name              TEXT,
    node              TEXT   NOT NULL,
    actor             TEXT   NOT NULL,
    state             TEXT   NOT NULL CHECK (state IN
        ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'needs_attention')),
    outcome           TEXT,
    warnings          TEXT   NOT NULL,
    if_needed         BIGINT NOT NULL CHECK (if_needed IN (0, 1)),
    lock_deadline_us  BIGINT,
    cancel            BIGINT NOT NULL CHECK (cancel IN (0, 1)),
    abandon           BIGINT NOT NULL CHECK (abandon IN (0, 1)),
    fence             BIGINT NOT NULL,
    owner             TEXT,
    degraded_since_us BIGINT,
    created_us        BIGINT NOT NULL,
    started_us        BIGINT,
    finished_us       BIGINT,
    last_seq          BIGINT NOT NULL,
    retry_of          TEXT,
    CHECK ((finished_us IS NULL) = (state IN ('queued', 'running'))),
    CHECK ((outcome IS NULL) = (finished_us IS NULL)),
    CHECK (state <> 'running' OR owner IS NOT NULL)
);
CREATE INDEX operation_open ON operation (state, created_us) WHERE finished_us IS NULL;
CREATE INDEX operation_request ON operation (request_id, idx);
CREATE INDEX operation_container ON operation (installation, vmid, created_us);
CREATE INDEX operation_created ON operation (created_us);

CREATE TABLE step (
    operation_id TEXT   NOT NULL REFERENCES operation (id) ON DELETE CASCADE,
    idx          BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN
        ('pending', 'dispatching', 'watching', 'verifying', 'done', 'failed', 'unknown')),
    data         TEXT   NOT NULL,
    upid         TEXT,
    started_us   BIGINT,
    finished_us  BIGINT,
    PRIMARY KEY (operation_id, idx)
);
CREATE UNIQUE INDEX step_upid ON step (upid) WHERE upid IS NOT NULL;

-- The authority: whoever has the row has the container. Inserted at admission, deleted by the
-- terminal transaction of the operation.
CREATE TABLE container_lock (
    installation TEXT   NOT NULL,
    vmid         BIGINT NOT NULL,
    operation_id TEXT   NOT NULL REFERENCES operation (id),
    since_us     BIGINT NOT NULL,
    PRIMARY KEY (installation, vmid)
);

-- Sorts by transaction, then by number in it: whoever reads only below the oldest open transaction never
-- misses a late commit. 20 bits of number, so that a cursor stays exact as a JSON number for 2^33
-- transactions.
CREATE SEQUENCE event_number;
CREATE TABLE event (
    cursor       BIGINT PRIMARY KEY DEFAULT
        ((pg_current_xact_id()::TEXT::BIGINT << 20) | (nextval('event_number') & 1048575)),
    operation_id TEXT,
    seq          BIGINT,
    time_us      BIGINT NOT NULL,
    type         TEXT   NOT NULL,
    detail       BIGINT NOT NULL CHECK (detail IN (0, 1)),
    installation TEXT   NOT NULL,
    vmid         BIGINT NOT NULL,
    container_id TEXT   NOT NULL,
    target       TEXT   NOT NULL,
    name         TEXT,
    actor        TEXT,
    data         TEXT   NOT NULL,
    CHECK ((operation_id IS NULL) = (seq IS NULL))
);
CREATE UNIQUE INDEX event_seq ON event (operation_id, seq) WHERE operation_id IS NOT NULL;
CREATE INDEX event_time ON event (time_us);
CREATE INDEX event_container ON event (installation, vmid, cursor);

CREATE TABLE audit (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time_us      BIGINT NOT NULL,
    actor        TEXT   NOT NULL,
    actor_name   TEXT   NOT NULL,
    verb         TEXT   NOT NULL,
    target       TEXT   NOT NULL,
    operation_id TEXT,
    request_id   TEXT,
    result       TEXT,
    code         TEXT,
    ended_us     BIGINT,
    detail       TEXT   NOT NULL
);
CREATE INDEX audit_operation ON audit (operation_id);
CREATE INDEX audit_time ON audit (time_us);
