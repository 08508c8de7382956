-- Runs that are made again and again: a cron expression in a time zone. order_of_run is what is run each time; credential is an
-- API key of the user, sealed with a key that is not in the database.
CREATE TABLE schedules (
  tenant_id    uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id           uuid        NOT NULL,
  name         text        NOT NULL,
  cron         text        NOT NULL,
  timezone     text        NOT NULL,
  order_of_run jsonb       NOT NULL,
  overlap      text        NOT NULL,
  misfire      text        NOT NULL,
  enabled      boolean     NOT NULL,
  credential   bytea,
  -- When it runs next; a run moves it on in the transaction that makes the run.
  next_run_at  timestamptz NOT NULL,
  last_run_at  timestamptz,
  last_run_id  uuid,
  last_outcome text,
  error        jsonb,
  created_by   uuid        NOT NULL,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  version      bigint      NOT NULL DEFAULT 1,
  CONSTRAINT schedules_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT schedules_overlap_check CHECK (overlap IN ('skip', 'queue', 'cancel')),
  CONSTRAINT schedules_misfire_check CHECK (misfire IN ('run_once', 'skip'))
);

ALTER TABLE schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE schedules FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON schedules
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX schedules_due_idx ON schedules (tenant_id, next_run_at) WHERE enabled;
