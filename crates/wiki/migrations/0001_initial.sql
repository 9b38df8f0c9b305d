-- The first schema. One text for SQLite and PostgreSQL: BIGINT, TEXT and BYTEA only; booleans are 0/1; times are
-- epoch milliseconds. Foreign keys are checked at commit, so that a restore and an import may write in any order.

-- The one sequence of content ids, and one each for the smaller nouns. `next` is the next id to hand out.
CREATE TABLE id_sequence (
    name TEXT NOT NULL,
    next BIGINT NOT NULL,
    CONSTRAINT id_sequence_pk PRIMARY KEY (name)
);
INSERT INTO id_sequence (name, next) VALUES ('content', 1), ('space', 1), ('user', 1), ('group', 1), ('label', 1), ('token', 1), ('import', 1);

CREATE TABLE setting (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT setting_pk PRIMARY KEY (name)
);

-- Accounts -----------------------------------------------------------------------------------------------------------

-- password_hash NULL: cannot log in until somebody sets a password (imported accounts).
-- user_key: the key under which an import knows the account.
CREATE TABLE user_account (
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    lower_name TEXT NOT NULL,
    full_name TEXT NOT NULL,
    email TEXT,
    password_hash TEXT,
    disabled BIGINT NOT NULL DEFAULT 0,
    admin BIGINT NOT NULL DEFAULT 0,
    user_key TEXT,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT user_account_pk PRIMARY KEY (id),
    CONSTRAINT user_account_lower_name_unique UNIQUE (lower_name),
    CONSTRAINT user_account_user_key_unique UNIQUE (user_key)
);

CREATE TABLE user_group (
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    lower_name TEXT NOT NULL,
    CONSTRAINT user_group_pk PRIMARY KEY (id),
    CONSTRAINT user_group_lower_name_unique UNIQUE (lower_name)
);

CREATE TABLE membership (
    user_id BIGINT NOT NULL,
    group_id BIGINT NOT NULL,
    CONSTRAINT membership_pk PRIMARY KEY (user_id, group_id),
    CONSTRAINT membership_user_fk FOREIGN KEY (user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT membership_group_fk FOREIGN KEY (group_id) REFERENCES user_group (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX membership_group_index ON membership (group_id);

-- Only hashes of secrets are stored.
CREATE TABLE session (
    token_hash TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    csrf_token TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    CONSTRAINT session_pk PRIMARY KEY (token_hash),
    CONSTRAINT session_user_fk FOREIGN KEY (user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX session_user_index ON session (user_id);
CREATE INDEX session_expiry_index ON session (expires_at_ms);

CREATE TABLE access_token (
    id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    last_used_at_ms BIGINT,
    CONSTRAINT access_token_pk PRIMARY KEY (id),
    CONSTRAINT access_token_hash_unique UNIQUE (token_hash),
    CONSTRAINT access_token_user_fk FOREIGN KEY (user_id) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX access_token_user_index ON access_token (user_id);

-- subject: `account:NAME` or `address:IP`.
CREATE TABLE login_attempt (
    subject TEXT NOT NULL,
    failures BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL,
    blocked_until_ms BIGINT NOT NULL,
    CONSTRAINT login_attempt_pk PRIMARY KEY (subject)
);

-- Spaces and rights ----------------------------------------------------------------------------------------------------

-- home_id has no foreign key, because content refers to space; `watersmeet check` verifies it.
-- stamp grows with every change of what readers of the space see: it is part of every cache key.
CREATE TABLE space (
    id BIGINT NOT NULL,
    key TEXT NOT NULL,
    lower_key TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL DEFAULT 'global',
    status TEXT NOT NULL DEFAULT 'current',
    mode TEXT NOT NULL DEFAULT 'drafts',
    home_id BIGINT,
    description TEXT NOT NULL DEFAULT '',
    stamp BIGINT NOT NULL DEFAULT 1,
    created_by BIGINT,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT space_pk PRIMARY KEY (id),
    CONSTRAINT space_lower_key_unique UNIQUE (lower_key),
    CONSTRAINT space_kind_check CHECK (kind IN ('global', 'personal')),
    CONSTRAINT space_status_check CHECK (status IN ('current', 'archived')),
    CONSTRAINT space_mode_check CHECK (mode IN ('drafts', 'live')),
    CONSTRAINT space_created_by_fk FOREIGN KEY (created_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
);

-- level: 1 view, 2 comment, 3 edit, 4 admin; each includes the ones below. subject_id is 0 for anonymous and users.
CREATE TABLE space_permission (
    space_id BIGINT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    level BIGINT NOT NULL,
    CONSTRAINT space_permission_pk PRIMARY KEY (space_id, subject_kind, subject_id),
    CONSTRAINT space_permission_space_fk FOREIGN KEY (space_id) REFERENCES space (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT space_permission_subject_check CHECK (subject_kind IN ('anonymous', 'users', 'group', 'user')),
    CONSTRAINT space_permission_level_check CHECK (level BETWEEN 1 AND 4)
);
CREATE INDEX space_permission_subject_index ON space_permission (subject_kind, subject_id);

-- Content ------------------------------------------------------------------------------------------------------------

-- page_id: the page or blog post that a comment or an attachment belongs to. parent_id: the page above a page, the
-- comment that a comment answers. version: number of the current version, 0 while never published. position: order
-- among siblings; NULL sorts last, then by title. posted_on: yyyy-mm-dd of a blog post.
CREATE TABLE content (
    id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    space_id BIGINT NOT NULL,
    page_id BIGINT,
    parent_id BIGINT,
    title TEXT NOT NULL,
    lower_title TEXT NOT NULL,
    position BIGINT,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    posted_on TEXT,
    created_by BIGINT,
    created_at_ms BIGINT NOT NULL,
    updated_by BIGINT,
    updated_at_ms BIGINT NOT NULL,
    CONSTRAINT content_pk PRIMARY KEY (id),
    CONSTRAINT content_kind_check CHECK (kind IN ('page', 'blogpost', 'comment', 'attachment')),
    CONSTRAINT content_status_check CHECK (status IN ('current', 'draft', 'trashed', 'archived')),
    CONSTRAINT content_space_fk FOREIGN KEY (space_id) REFERENCES space (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT content_page_fk FOREIGN KEY (page_id) REFERENCES content (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT content_parent_fk FOREIGN KEY (parent_id) REFERENCES content (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT content_created_by_fk FOREIGN KEY (created_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT content_updated_by_fk FOREIGN KEY (updated_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
);
-- One current page of a title in a space.
CREATE UNIQUE INDEX content_page_title_unique ON content (space_id, lower_title) WHERE kind = 'page' AND status = 'current';
CREATE INDEX content_title_index ON content (space_id, kind, lower_title);
CREATE INDEX content_parent_index ON content (parent_id);
CREATE INDEX content_root_index ON content (space_id, kind, status, parent_id);
CREATE INDEX content_page_index ON content (page_id, kind, status);
CREATE INDEX content_posted_index ON content (space_id, kind, posted_on);
CREATE INDEX content_updated_index ON content (status, updated_at_ms);

-- body: storage format, zstd. contributors: JSON list of user ids besides the author. historical_id: the content id
-- that an import gave this version; old addresses name it.
CREATE TABLE content_version (
    content_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    title TEXT NOT NULL,
    body BYTEA NOT NULL,
    author BIGINT,
    message TEXT NOT NULL DEFAULT '',
    minor BIGINT NOT NULL DEFAULT 0,
    created_at_ms BIGINT NOT NULL,
    contributors TEXT NOT NULL DEFAULT '[]',
    historical_id BIGINT,
    CONSTRAINT content_version_pk PRIMARY KEY (content_id, number),
    CONSTRAINT content_version_content_fk FOREIGN KEY (content_id) REFERENCES content (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT content_version_author_fk FOREIGN KEY (author) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX content_version_historical_index ON content_version (historical_id);

-- An id that content had elsewhere and could not keep here.
CREATE TABLE content_redirect (
    old_id BIGINT NOT NULL,
    content_id BIGINT NOT NULL,
    CONSTRAINT content_redirect_pk PRIMARY KEY (old_id),
    CONSTRAINT content_redirect_content_fk FOREIGN KEY (content_id) REFERENCES content (id) DEFERRABLE INITIALLY DEFERRED
);

-- Titles (and spaces) that a page had before; the newest wins when two pages had the same.
CREATE TABLE title_history (
    content_id BIGINT NOT NULL,
    space_id BIGINT NOT NULL,
    lower_title TEXT NOT NULL,
    until_ms BIGINT NOT NULL,
    CONSTRAINT title_history_pk PRIMARY KEY (content_id, space_id, lower_title),
    CONSTRAINT title_history_content_fk FOREIGN KEY (content_id) REFERENCES content (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT title_history_space_fk FOREIGN KEY (space_id) REFERENCES space (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX title_history_title_index ON title_history (space_id, lower_title);

-- Content without a row here for an operation is unrestricted; with rows only the named subjects may. `users`: everybody
-- who is logged in (subject_id 0).
CREATE TABLE content_restriction (
    content_id BIGINT NOT NULL,
    operation TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    CONSTRAINT content_restriction_pk PRIMARY KEY (content_id, operation, subject_kind, subject_id),
    CONSTRAINT content_restriction_content_fk FOREIGN KEY (content_id) REFERENCES content (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT content_restriction_operation_check CHECK (operation IN ('view', 'edit')),
    CONSTRAINT content_restriction_subject_check CHECK (subject_kind IN ('users', 'group', 'user'))
);
CREATE INDEX content_restriction_operation_index ON content_restriction (operation, content_id);

-- Named facts about content that have no column (inline comment markers and the like).
CREATE TABLE content_property (
    content_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT content_property_pk PRIMARY KEY (content_id, name),
    CONSTRAINT content_property_content_fk FOREIGN KEY (content_id) REFERENCES content (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE label (
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT label_pk PRIMARY KEY (id),
    CONSTRAINT label_name_unique UNIQUE (name)
);

CREATE TABLE content_label (
    content_id BIGINT NOT NULL,
    label_id BIGINT NOT NULL,
    created_by BIGINT,
    created_at_ms BIGINT NOT NULL,
    CONSTRAINT content_label_pk PRIMARY KEY (content_id, label_id),
    CONSTRAINT content_label_content_fk FOREIGN KEY (content_id) REFERENCES content (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT content_label_label_fk FOREIGN KEY (label_id) REFERENCES label (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX content_label_label_index ON content_label (label_id);

-- blob: sha256 of the bytes in the blob store.
CREATE TABLE attachment_version (
    attachment_id BIGINT NOT NULL,
    number BIGINT NOT NULL,
    blob TEXT NOT NULL,
    size BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    author BIGINT,
    message TEXT NOT NULL DEFAULT '',
    created_at_ms BIGINT NOT NULL,
    historical_id BIGINT,
    CONSTRAINT attachment_version_pk PRIMARY KEY (attachment_id, number),
    CONSTRAINT attachment_version_content_fk FOREIGN KEY (attachment_id) REFERENCES content (id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT attachment_version_author_fk FOREIGN KEY (author) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX attachment_version_historical_index ON attachment_version (historical_id);
CREATE INDEX attachment_version_blob_index ON attachment_version (blob);

-- Live documents -------------------------------------------------------------------------------------------------------

-- There are unpublished changes exactly when head_seq > published_seq. snapshot holds updates up to
-- snapshot_seq; checksum is its crc32c. epoch_reason: why the epoch began (1 discarded, 2 rewritten, 3 restored).
CREATE TABLE live_document (
    page_id BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    head_seq BIGINT NOT NULL,
    snapshot_seq BIGINT NOT NULL,
    snapshot BYTEA NOT NULL,
    checksum BIGINT NOT NULL,
    published_seq BIGINT NOT NULL,
    epoch_reason BIGINT NOT NULL,
    CONSTRAINT live_document_pk PRIMARY KEY (page_id),
    CONSTRAINT live_document_page_fk FOREIGN KEY (page_id) REFERENCES content (id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE live_update (
    page_id BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    user_id BIGINT,
    connection BIGINT NOT NULL,
    bytes BYTEA NOT NULL,
    checksum BIGINT NOT NULL,
    committed_at_ms BIGINT NOT NULL,
    CONSTRAINT live_update_pk PRIMARY KEY (page_id, epoch, seq),
    CONSTRAINT live_update_document_fk FOREIGN KEY (page_id) REFERENCES live_document (page_id) DEFERRABLE INITIALLY DEFERRED
);

-- Imports --------------------------------------------------------------------------------------------------------------

-- What an import made of each object of its source, so that a second run changes nothing. source names the export
-- (space key and the like), object_kind and source_id the object in it. state: JSON, what the object was when it was
-- imported last, so that a newer export can be told from an edit made here.
CREATE TABLE import_record (
    source TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    source_id TEXT NOT NULL,
    local_id BIGINT NOT NULL,
    state TEXT NOT NULL DEFAULT '',
    imported_at_ms BIGINT NOT NULL,
    CONSTRAINT import_record_pk PRIMARY KEY (source, object_kind, source_id)
);

-- Imports that run in the background, for the people who wait for them. report: JSON once it is done.
CREATE TABLE import_run (
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    phase TEXT NOT NULL,
    done BIGINT NOT NULL,
    total BIGINT,
    report TEXT,
    error TEXT,
    started_by BIGINT,
    started_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    CONSTRAINT import_run_pk PRIMARY KEY (id),
    CONSTRAINT import_run_state_check CHECK (state IN ('running', 'done', 'failed')),
    CONSTRAINT import_run_started_by_fk FOREIGN KEY (started_by) REFERENCES user_account (id) DEFERRABLE INITIALLY DEFERRED
);
