-- What the pieces of a create read on their standard input, as it was when it was submitted: whatever becomes of the
-- template afterwards, what was ordered is done. Base64 of a tar archive.

CREATE TABLE work_input (
    operation_id TEXT   NOT NULL REFERENCES operation (id) ON DELETE CASCADE,
    idx          BIGINT NOT NULL,
    data         TEXT   NOT NULL,
    PRIMARY KEY (operation_id, idx)
);
