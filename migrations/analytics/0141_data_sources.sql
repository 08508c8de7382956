-- Where numbers come from that are no events: files that people bring, addresses that are asked regularly. reading says how
-- the tables of a source are read. sealed has headers with secrets, sealed with a key that is not in the database.
CREATE TABLE data_sources (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id            uuid        NOT NULL,
  name          text        NOT NULL,
  kind          text        NOT NULL,
  dataset       text        NOT NULL,
  reading       jsonb       NOT NULL DEFAULT '{}',
  pull          jsonb,
  header_names  text[]      NOT NULL DEFAULT '{}',
  sealed        bytea,
  enabled       boolean     NOT NULL DEFAULT true,
  cursor        date,
  next_sync_at  timestamptz,
  created_by    uuid        NOT NULL,
  created_at    timestamptz NOT NULL,
  updated_at    timestamptz NOT NULL,
  version       bigint      NOT NULL DEFAULT 1,
  CONSTRAINT data_sources_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT data_sources_name_key UNIQUE (tenant_id, name),
  CONSTRAINT data_sources_kind_check CHECK (kind IN ('upload', 'http')),
  CONSTRAINT data_sources_pull_check CHECK ((kind = 'http') = (pull IS NOT NULL))
);

ALTER TABLE data_sources ENABLE ROW LEVEL SECURITY;
ALTER TABLE data_sources FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON data_sources
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX data_sources_due_idx ON data_sources (tenant_id, next_sync_at) WHERE next_sync_at IS NOT NULL;

-- Every load of a source: an import of a file, or asking an address. due_at is when it may be taken: while a process works
-- on it, when its lease ends. claims grows whenever somebody takes it, so that one who lost the lease notices.
CREATE TABLE source_runs (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id            uuid        NOT NULL,
  source_id     uuid        NOT NULL,
  kind          text        NOT NULL,
  status        text        NOT NULL,
  plan          jsonb,
  rows_total    bigint,
  rows_done     bigint      NOT NULL DEFAULT 0,
  error         jsonb,
  due_at        timestamptz NOT NULL,
  claims        bigint      NOT NULL DEFAULT 0,
  attempts      integer     NOT NULL DEFAULT 0,
  created_by    uuid,
  created_at    timestamptz NOT NULL,
  started_at    timestamptz,
  finished_at   timestamptz,
  CONSTRAINT source_runs_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT source_runs_source_fkey FOREIGN KEY (tenant_id, source_id) REFERENCES data_sources (tenant_id, id)
    ON DELETE CASCADE,
  CONSTRAINT source_runs_kind_check CHECK (kind IN ('import', 'sync')),
  CONSTRAINT source_runs_status_check CHECK (status IN ('preparing', 'queued', 'running', 'succeeded', 'failed')),
  CONSTRAINT source_runs_finished_check CHECK ((finished_at IS NOT NULL) = (status IN ('succeeded', 'failed')))
);

ALTER TABLE source_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE source_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON source_runs
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX source_runs_open_idx ON source_runs (tenant_id, due_at) WHERE status IN ('queued', 'running');
CREATE INDEX source_runs_source_idx ON source_runs (tenant_id, source_id, id);

-- A file that was brought, in pieces of whole rows; they go when the run is over.
CREATE TABLE source_run_pieces (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  run_id        uuid        NOT NULL,
  n             integer     NOT NULL,
  first_row     bigint      NOT NULL,
  rows          integer     NOT NULL,
  content       bytea       NOT NULL,
  CONSTRAINT source_run_pieces_pkey PRIMARY KEY (tenant_id, run_id, n),
  CONSTRAINT source_run_pieces_run_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES source_runs (tenant_id, id)
    ON DELETE CASCADE
);

ALTER TABLE source_run_pieces ENABLE ROW LEVEL SECURITY;
ALTER TABLE source_run_pieces FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON source_run_pieces
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
