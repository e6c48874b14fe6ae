-- How the nodes of a remote are reached over SSH, and the host keys they are known by. The key or password is a
-- ciphertext; an agent keeps its own.

CREATE TABLE ssh (
    remote    TEXT   PRIMARY KEY REFERENCES remote (name) ON UPDATE CASCADE ON DELETE CASCADE,
    user_name TEXT   NOT NULL CHECK (user_name <> ''),
    port      BIGINT NOT NULL CHECK (port BETWEEN 1 AND 65535),
    way       TEXT   NOT NULL CHECK (way IN ('key', 'agent', 'password')),
    secret    TEXT,
    directory TEXT,
    CHECK ((way = 'agent') = (secret IS NULL))
);

CREATE TABLE ssh_host (
    remote      TEXT NOT NULL REFERENCES remote (name) ON UPDATE CASCADE ON DELETE CASCADE,
    node        TEXT NOT NULL,
    host        TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (remote, node)
);
