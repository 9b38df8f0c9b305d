-- live_update.published = 1: a version holds what the row brought already (a write by another way than the draft), so that its
-- author is no contributor of the next one.
ALTER TABLE live_update ADD COLUMN published BIGINT NOT NULL DEFAULT 0;

-- Where the history of the present draft begins. The rows of live_update after base_seq, put on base_snapshot one by one, are what
-- happened since: the last publish, discard or rewriting. contributors: JSON, the accounts whose unpublished edits are in
-- base_snapshot already. weighed_seq: the head at which the document was last looked at for rewriting.
CREATE TABLE live_base (
    document_id BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    base_seq BIGINT NOT NULL,
    base_snapshot BYTEA NOT NULL,
    checksum BIGINT NOT NULL,
    contributors TEXT NOT NULL DEFAULT '[]',
    CONSTRAINT live_base_pk PRIMARY KEY (document_id)
);

-- The last state of an epoch that is over, for edits of clients that were offline across its end. It is kept for a while.
CREATE TABLE live_epoch (
    document_id BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    snapshot BYTEA NOT NULL,
    checksum BIGINT NOT NULL,
    ended_at_ms BIGINT NOT NULL,
    CONSTRAINT live_epoch_pk PRIMARY KEY (document_id, epoch)
);
CREATE INDEX live_epoch_ended_index ON live_epoch (ended_at_ms);

-- When a live document was last looked at for rewriting, by the head it had then.
CREATE TABLE live_weighed (
    document_id BIGINT NOT NULL,
    head_seq BIGINT NOT NULL,
    CONSTRAINT live_weighed_pk PRIMARY KEY (document_id)
);
