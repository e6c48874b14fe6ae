-- Templates: what containers are made from. A part belongs to its template and goes with it. `revision` goes up with
-- every change, so that two who change one at once do not undo each other's.

CREATE TABLE template (
    name         TEXT PRIMARY KEY,
    revision     BIGINT NOT NULL CHECK (revision > 0),
    description  TEXT   NOT NULL,
    tags         TEXT   NOT NULL,
    os           TEXT   NOT NULL CHECK (os <> ''),
    version      TEXT   NOT NULL,
    cpu          BIGINT NOT NULL CHECK (cpu > 0),
    ram_mb       BIGINT NOT NULL CHECK (ram_mb > 0),
    disk_gb      BIGINT NOT NULL CHECK (disk_gb > 0),
    unprivileged BIGINT NOT NULL CHECK (unprivileged IN (0, 1)),
    nesting      BIGINT NOT NULL CHECK (nesting IN (0, 1)),
    keyctl       BIGINT NOT NULL CHECK (keyctl IN (0, 1)),
    fuse         BIGINT NOT NULL CHECK (fuse IN (0, 1)),
    author       TEXT   NOT NULL,
    created_us   BIGINT NOT NULL,
    changed_us   BIGINT NOT NULL
);

CREATE TABLE template_script (
    template TEXT   NOT NULL REFERENCES template (name) ON UPDATE CASCADE ON DELETE CASCADE,
    number   BIGINT NOT NULL CHECK (number >= 0),
    name     TEXT   NOT NULL,
    text     TEXT   NOT NULL,
    PRIMARY KEY (template, number)
);

CREATE TABLE template_file (
    template   TEXT   NOT NULL REFERENCES template (name) ON UPDATE CASCADE ON DELETE CASCADE,
    name       TEXT   NOT NULL,
    directory  TEXT   NOT NULL,
    policy     TEXT   NOT NULL CHECK (policy IN ('replace', 'default', 'backup')),
    executable BIGINT NOT NULL CHECK (executable IN (0, 1)),
    text       TEXT   NOT NULL,
    PRIMARY KEY (template, name)
);

CREATE TABLE template_packages (
    template TEXT NOT NULL REFERENCES template (name) ON UPDATE CASCADE ON DELETE CASCADE,
    name     TEXT NOT NULL,
    manager  TEXT NOT NULL CHECK (manager IN ('apt', 'apk', 'dnf', 'npm', 'pip', 'custom')),
    items    TEXT NOT NULL,
    PRIMARY KEY (template, name, manager)
);
