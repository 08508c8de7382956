-- What a tenant wants to be done by itself: when something happened to a record that passes a filter, these actions.
CREATE TABLE automations (
  tenant_id      uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id             uuid        NOT NULL,
  name           text        NOT NULL,
  record_type    text        NOT NULL,
  enabled        boolean     NOT NULL,
  -- Why it is not enabled when nobody wanted that.
  disabled_reason text,
  -- Kinds of events: 'lead.created'. With `changed_fields` only those that changed one of them.
  kinds          text[]      NOT NULL,
  changed_fields text[]      NOT NULL DEFAULT '{}',
  filter         jsonb,
  actions        jsonb       NOT NULL,
  -- Runs that failed since the last one that did not.
  failures       integer     NOT NULL DEFAULT 0,
  -- It acts as whoever created it, with what that user's roles gave when it was saved last.
  created_by     uuid        NOT NULL,
  roles          text[]      NOT NULL,
  entitlements   text[]      NOT NULL,
  created_at     timestamptz NOT NULL,
  updated_at     timestamptz NOT NULL,
  version        bigint      NOT NULL DEFAULT 1,
  CONSTRAINT automations_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT automations_name_key UNIQUE (tenant_id, name),
  CONSTRAINT automations_record_type_check
    CHECK (record_type IN ('lead', 'contact', 'company', 'deal', 'activity', 'todo')),
  CONSTRAINT automations_disabled_reason_check CHECK (disabled_reason IN ('failing', 'creator_gone'))
);

ALTER TABLE automations ENABLE ROW LEVEL SECURITY;
ALTER TABLE automations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON automations
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX automations_creator_idx ON automations (tenant_id, created_by);

-- What automations did. An event starts an automation once.
CREATE TABLE automation_runs (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id            uuid        NOT NULL,
  automation_id uuid        NOT NULL,
  event_id      uuid        NOT NULL,
  kind          text        NOT NULL,
  record_id     uuid        NOT NULL,
  -- How many automations one after the other led to the event.
  depth         integer     NOT NULL,
  status        text        NOT NULL,
  attempts      integer     NOT NULL DEFAULT 0,
  due_at        timestamptz,
  outcomes      jsonb       NOT NULL DEFAULT '[]',
  error         text,
  created_at    timestamptz NOT NULL,
  finished_at   timestamptz,
  CONSTRAINT automation_runs_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT automation_runs_event_key UNIQUE (tenant_id, automation_id, event_id),
  CONSTRAINT automation_runs_automation_fkey FOREIGN KEY (tenant_id, automation_id)
    REFERENCES automations (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT automation_runs_status_check CHECK (status IN ('pending', 'done', 'skipped', 'failed')),
  CONSTRAINT automation_runs_due_check CHECK ((status = 'pending') = (due_at IS NOT NULL))
);

ALTER TABLE automation_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE automation_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON automation_runs
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX automation_runs_automation_idx ON automation_runs (tenant_id, automation_id, id);
CREATE INDEX automation_runs_due_idx ON automation_runs (tenant_id, due_at) WHERE status = 'pending';
CREATE INDEX automation_runs_finished_idx ON automation_runs (tenant_id, finished_at) WHERE status <> 'pending';

-- The events that an automation caused, so that a chain of automations ends.
CREATE TABLE automation_effects (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  event_id      uuid        NOT NULL,
  automation_id uuid        NOT NULL,
  depth         integer     NOT NULL,
  at            timestamptz NOT NULL,
  CONSTRAINT automation_effects_pkey PRIMARY KEY (tenant_id, event_id)
);

ALTER TABLE automation_effects ENABLE ROW LEVEL SECURITY;
ALTER TABLE automation_effects FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON automation_effects
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX automation_effects_at_idx ON automation_effects (tenant_id, at);
