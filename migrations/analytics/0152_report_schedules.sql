-- Reports that are made again and again: a cron expression in a time zone, and what is ordered each time.
CREATE TABLE report_schedules (
  tenant_id      uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id             uuid        NOT NULL,
  name           text        NOT NULL,
  cron           text        NOT NULL,
  timezone       text        NOT NULL,
  report         jsonb       NOT NULL,
  enabled        boolean     NOT NULL,
  -- When it runs next; a run moves it on in the transaction that orders the report.
  next_run_at    timestamptz NOT NULL,
  last_run_at    timestamptz,
  last_report_id uuid,
  error          jsonb,
  created_by     uuid        NOT NULL,
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  version        bigint      NOT NULL DEFAULT 1,
  CONSTRAINT report_schedules_pkey PRIMARY KEY (tenant_id, id)
);
CREATE INDEX report_schedules_due_idx ON report_schedules (tenant_id, next_run_at) WHERE enabled;

ALTER TABLE report_schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE report_schedules FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON report_schedules
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
