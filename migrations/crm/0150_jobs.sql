-- Work that outlives its request: imports, undoing them, bulk changes, and whatever else is long. `params` is what was
-- ordered, `state` the checkpoint, written in the transaction of the work itself. `due_at` is when a job may be taken:
-- while a process works on it, when its lease ends. `claims` grows whenever somebody takes it, so that one who lost the
-- lease notices; `attempts` is how often it was taken since it last got on.
CREATE TABLE jobs (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  kind        text        NOT NULL,
  record_type text,
  status      text        NOT NULL,
  params      jsonb       NOT NULL DEFAULT '{}',
  state       jsonb       NOT NULL DEFAULT '{}',
  result      jsonb,
  error       jsonb,
  total       bigint,
  done        bigint      NOT NULL DEFAULT 0,
  due_at      timestamptz NOT NULL,
  claims      bigint      NOT NULL DEFAULT 0,
  attempts    integer     NOT NULL DEFAULT 0,
  cancelled   boolean     NOT NULL DEFAULT false,
  created_by  uuid        NOT NULL,
  created_at  timestamptz NOT NULL,
  started_at  timestamptz,
  updated_at  timestamptz NOT NULL,
  finished_at timestamptz,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT jobs_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT jobs_status_check CHECK (status IN ('preparing', 'queued', 'running', 'succeeded', 'failed', 'cancelled')),
  CONSTRAINT jobs_finished_check CHECK ((finished_at IS NOT NULL) = (status IN ('succeeded', 'failed', 'cancelled')))
);

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON jobs
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX jobs_open_idx ON jobs (tenant_id, due_at) WHERE status IN ('queued', 'running');
