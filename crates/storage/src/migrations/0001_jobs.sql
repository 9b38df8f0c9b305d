CREATE TABLE job (
    id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    run_at_ms BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    lease_until_ms BIGINT,
    last_error TEXT,
    CONSTRAINT job_pk PRIMARY KEY (id),
    CONSTRAINT job_state CHECK (state IN ('queued', 'running', 'dead'))
);
CREATE UNIQUE INDEX job_queued_once ON job (kind, key) WHERE state = 'queued';
CREATE INDEX job_due ON job (state, run_at_ms);
