-- Buckets: named package lists that are copied into templates. `revision` goes up with every change, so that two who
-- change one at once do not undo each other's.

CREATE TABLE bucket (
    name       TEXT PRIMARY KEY,
    revision   BIGINT NOT NULL CHECK (revision > 0),
    author     TEXT   NOT NULL,
    created_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL
);

CREATE TABLE bucket_packages (
    bucket  TEXT NOT NULL REFERENCES bucket (name) ON UPDATE CASCADE ON DELETE CASCADE,
    manager TEXT NOT NULL CHECK (manager IN ('apt', 'apk', 'dnf', 'npm', 'pip', 'custom')),
    items   TEXT NOT NULL,
    PRIMARY KEY (bucket, manager)
);
