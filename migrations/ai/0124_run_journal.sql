-- The journal: every question to a model and every call of a tool. path is the place of a step in the run (task.llm0,
-- task.call0.1): a worker that takes a run over walks it again from its start and finds there what is done already. A call of
-- a tool is written as `sent` before it is sent.
CREATE TABLE run_steps (
  tenant_id         uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  run_id            uuid        NOT NULL,
  path              text        NOT NULL,
  seq               bigint      NOT NULL,
  kind              text        NOT NULL,
  name              text        NOT NULL,
  task              text        NOT NULL,
  status            text        NOT NULL,
  key               text        NOT NULL,
  request           jsonb       NOT NULL,
  response          jsonb,
  prompt_tokens     bigint      NOT NULL DEFAULT 0,
  completion_tokens bigint      NOT NULL DEFAULT 0,
  cost              bigint      NOT NULL DEFAULT 0,
  attempt           integer     NOT NULL,
  started_at        timestamptz NOT NULL,
  finished_at       timestamptz,
  CONSTRAINT run_steps_pkey PRIMARY KEY (tenant_id, run_id, path),
  CONSTRAINT run_steps_run_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT run_steps_kind_check CHECK (kind IN ('llm', 'tool', 'review')),
  CONSTRAINT run_steps_status_check CHECK (status IN ('waiting', 'sent', 'uncertain', 'succeeded', 'failed', 'rejected'))
);

ALTER TABLE run_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_steps FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON run_steps
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX run_steps_seq_idx ON run_steps (tenant_id, run_id, seq);

-- What a run told, in order; a client that comes back reads on from where it was.
CREATE TABLE run_events (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  run_id     uuid        NOT NULL,
  seq        bigint      NOT NULL,
  kind       text        NOT NULL,
  at         timestamptz NOT NULL,
  data       jsonb       NOT NULL,
  CONSTRAINT run_events_pkey PRIMARY KEY (tenant_id, run_id, seq),
  CONSTRAINT run_events_run_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE run_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON run_events
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
