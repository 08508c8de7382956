-- What a run asks a person: whether a tool may be called, what became of a call whose answer was lost, whether a result is
-- good. arguments are what was asked for; decided_arguments what the person made of them.
CREATE TABLE run_approvals (
  tenant_id         uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id                uuid        NOT NULL,
  run_id            uuid        NOT NULL,
  path              text        NOT NULL,
  reason            text        NOT NULL,
  subject           text        NOT NULL,
  arguments         jsonb       NOT NULL,
  status            text        NOT NULL,
  decided_arguments jsonb,
  comment           text,
  decided_by        uuid,
  decided_at        timestamptz,
  created_at        timestamptz NOT NULL,
  CONSTRAINT run_approvals_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT run_approvals_path_key UNIQUE (tenant_id, run_id, path, reason),
  CONSTRAINT run_approvals_run_fkey FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT run_approvals_reason_check CHECK (reason IN ('destructive', 'uncertain', 'result')),
  CONSTRAINT run_approvals_status_check CHECK (status IN ('pending', 'approved', 'rejected')),
  CONSTRAINT run_approvals_decided_check CHECK ((status = 'pending') = (decided_at IS NULL))
);

ALTER TABLE run_approvals ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_approvals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON run_approvals
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
