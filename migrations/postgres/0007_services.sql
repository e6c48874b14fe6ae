-- What was found inside a container when it was looked into last: one row for an incarnation, gone when that ends. No
-- value of a secret is ever in it.

CREATE TABLE services (
    container_id TEXT   PRIMARY KEY REFERENCES container (id) ON DELETE CASCADE,
    found        TEXT,
    healthy      BIGINT,
    total        BIGINT,
    addresses    TEXT,
    checked_us   BIGINT,
    trouble      TEXT,
    trouble_us   BIGINT,
    CHECK ((found IS NULL) = (checked_us IS NULL) AND (found IS NULL) = (healthy IS NULL)
        AND (found IS NULL) = (total IS NULL) AND (found IS NULL) = (addresses IS NULL)),
    CHECK ((trouble IS NULL) = (trouble_us IS NULL))
);

CREATE FUNCTION container_services() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM services WHERE container_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER container_services AFTER UPDATE OF closed_us ON container
    FOR EACH ROW WHEN (NEW.closed_us IS NOT NULL) EXECUTE FUNCTION container_services();
