-- Whose a remote is, and with whom it is shared. People are named in an identity domain: the same name on
-- another host is somebody else. A remote without an owner's uid is everybody's who has a role.

ALTER TABLE remote ADD COLUMN owner_uid BIGINT;
ALTER TABLE remote ADD COLUMN owner_domain TEXT;

CREATE TABLE share (
    remote TEXT NOT NULL REFERENCES remote (name) ON UPDATE CASCADE ON DELETE CASCADE,
    who    TEXT NOT NULL,
    domain TEXT NOT NULL,
    role   TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    PRIMARY KEY (remote, who, domain)
);

-- A person's own token on a remote, used for that person's operations. The secret is a ciphertext.
CREATE TABLE login (
    installation TEXT   NOT NULL,
    domain       TEXT   NOT NULL,
    uid          BIGINT NOT NULL,
    name         TEXT   NOT NULL,
    token_id     TEXT   NOT NULL,
    secret       TEXT   NOT NULL,
    created_us   BIGINT NOT NULL,
    PRIMARY KEY (installation, domain, uid)
);

-- The token of its own that an operation was submitted with; NULL = the remote's.
ALTER TABLE operation ADD COLUMN login TEXT;
