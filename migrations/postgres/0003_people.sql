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
