-- Runs of agents and crews. plan has the agents, tasks and limits as they were when the run was made: a later change does not
-- touch it. credential is the token of the user for whom the run works, sealed with a key that is not in the database.
-- attempt grows whenever a worker takes the run, and every write of a worker names its attempt: one that lost its lease
-- changes nothing any more.
CREATE TABLE runs (
  tenant_id           uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id                  uuid        NOT NULL,
  kind                text        NOT NULL,
  subject             text        NOT NULL,
  subject_id          uuid,
  subject_version     bigint      NOT NULL,
  status              text        NOT NULL,
  plan                jsonb       NOT NULL,
  inputs              jsonb       NOT NULL,
  credential          bytea,
  output              jsonb,
  error               jsonb,
  steps               integer     NOT NULL DEFAULT 0,
  tool_calls          integer     NOT NULL DEFAULT 0,
  prompt_tokens       bigint      NOT NULL DEFAULT 0,
  completion_tokens   bigint      NOT NULL DEFAULT 0,
  cost                bigint      NOT NULL DEFAULT 0,
  -- How long workers were at it, in milliseconds; what the deadline counts.
  worked_ms           bigint      NOT NULL DEFAULT 0,
  event_seq           bigint      NOT NULL DEFAULT 0,
  step_seq            bigint      NOT NULL DEFAULT 0,
  attempt             integer     NOT NULL DEFAULT 0,
  failures            integer     NOT NULL DEFAULT 0,
  due_at              timestamptz NOT NULL,
  cancel_requested_at timestamptz,
  schedule_id         uuid,
  forked_from         uuid,
  created_by          uuid        NOT NULL,
  created_at          timestamptz NOT NULL,
  started_at          timestamptz,
  finished_at         timestamptz,
  CONSTRAINT runs_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT runs_kind_check CHECK (kind IN ('agent', 'crew')),
  CONSTRAINT runs_status_check CHECK (status IN ('queued', 'running', 'waiting_approval', 'waiting_retry', 'succeeded', 'failed',
                                                 'cancelled', 'limit_exceeded')),
  CONSTRAINT runs_finished_check
    CHECK ((finished_at IS NOT NULL) = (status IN ('succeeded', 'failed', 'cancelled', 'limit_exceeded')))
);

ALTER TABLE runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON runs
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX runs_open_idx ON runs (tenant_id, due_at) WHERE status IN ('queued', 'waiting_retry', 'running');
CREATE INDEX runs_owner_idx ON runs (tenant_id, created_by, id);
CREATE INDEX runs_schedule_idx ON runs (tenant_id, schedule_id, id) WHERE schedule_id IS NOT NULL;
CREATE INDEX runs_finished_idx ON runs (tenant_id, finished_at) WHERE finished_at IS NOT NULL;

-- Who works on a run, and until when nobody else may. Beside the runs, so that a heartbeat writes a narrow row.
CREATE TABLE run_leases (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  run_id     uuid        NOT NULL,
  worker     uuid        NOT NULL,
  until      timestamptz NOT NULL,
  CONSTRAINT run_leases_pkey PRIMARY KEY (tenant_id, run_id),
  CONSTRAINT run_leases_run_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE run_leases ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_leases FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON run_leases
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
