-- Who wrote which run of a version's text, in the order of reading: JSON [[UTF-16 units, user id or null], ...].
CREATE TABLE version_authorship (
    content_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    runs TEXT NOT NULL,
    CONSTRAINT version_authorship_pk PRIMARY KEY (content_id, number),
    CONSTRAINT version_authorship_version_fk FOREIGN KEY (content_id, number) REFERENCES content_version (content_id, number) DEFERRABLE INITIALLY DEFERRED
);

-- Who wrote the text with which an epoch of a live document began: JSON [[clock, UTF-16 units, user id or null], ...],
-- all of one client id.
CREATE TABLE live_origin (
    document_id BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    client_id BIGINT NOT NULL,
    runs TEXT NOT NULL,
    CONSTRAINT live_origin_pk PRIMARY KEY (document_id)
);
