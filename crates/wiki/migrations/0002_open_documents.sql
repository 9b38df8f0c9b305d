-- Live documents that are no page: those of other applications, in namespaces that the administrator has opened. Their
-- ids come from the sequence of content ids, so one number names one live document of either kind; that is why the
-- tables below have no foreign key to content any more.
CREATE TABLE open_document (
    id BIGINT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    created_by BIGINT,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT open_document_pk PRIMARY KEY (id),
    CONSTRAINT open_document_name_unique UNIQUE (namespace, name)
);

CREATE TABLE live_document_before AS SELECT * FROM live_document;
CREATE TABLE live_update_before AS SELECT * FROM live_update;
DROP TABLE live_update;
DROP TABLE live_document;

-- document_id: the content id of a page, or the id of an open document.
-- There are unpublished changes of a page exactly when head_seq > published_seq. epoch_reason: why the epoch began
-- (1 discarded, 2 rewritten, 3 restored).
CREATE TABLE live_document (
    document_id BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    head_seq BIGINT NOT NULL,
    snapshot_seq BIGINT NOT NULL,
    published_seq BIGINT NOT NULL,
    epoch_reason BIGINT NOT NULL,
    CONSTRAINT live_document_pk PRIMARY KEY (document_id)
);
INSERT INTO live_document (document_id, epoch, head_seq, snapshot_seq, published_seq, epoch_reason)
    SELECT page_id, epoch, head_seq, snapshot_seq, published_seq, epoch_reason FROM live_document_before;

-- The updates of a document up to its snapshot_seq as one; checksum is its crc32c. Apart from live_document, because that row
-- changes with every commit, and a database writes a row as a whole.
CREATE TABLE live_snapshot (
    document_id BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    checksum BIGINT NOT NULL,
    CONSTRAINT live_snapshot_pk PRIMARY KEY (document_id),
    CONSTRAINT live_snapshot_document_fk FOREIGN KEY (document_id) REFERENCES live_document (document_id) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO live_snapshot (document_id, bytes, checksum)
    SELECT page_id, snapshot, checksum FROM live_document_before;

CREATE TABLE live_update (
    document_id BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    user_id BIGINT,
    connection BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    checksum BIGINT NOT NULL,
    committed_at_ms BIGINT NOT NULL,
    CONSTRAINT live_update_pk PRIMARY KEY (document_id, epoch, seq),
    CONSTRAINT live_update_document_fk FOREIGN KEY (document_id) REFERENCES live_document (document_id) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO live_update (document_id, epoch, seq, user_id, connection, bytes, checksum, committed_at_ms)
    SELECT page_id, epoch, seq, user_id, connection, bytes, checksum, committed_at_ms FROM live_update_before;

DROP TABLE live_update_before;
DROP TABLE live_document_before;

-- Which account a client id of a document belongs to: who wrote what, and who may go on writing with that id.
-- user_id NULL: a visitor without an account.
CREATE TABLE live_author (
    document_id BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    client_id BIGINT NOT NULL,
    user_id BIGINT,
    since_ms BIGINT NOT NULL,
    CONSTRAINT live_author_pk PRIMARY KEY (document_id, epoch, client_id),
    CONSTRAINT live_author_document_fk FOREIGN KEY (document_id) REFERENCES live_document (document_id) DEFERRABLE INITIALLY DEFERRED
);
