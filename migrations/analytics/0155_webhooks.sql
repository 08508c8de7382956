-- Where a tenant wants to be told what happens (https://www.standardwebhooks.com).
CREATE TABLE webhooks (
  tenant_id             uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id                    uuid        NOT NULL,
  url                   text        NOT NULL,
  -- Exact kinds ('report.succeeded'), kinds of a resource ('report.*'), or all ('*').
  kinds                 text[]      NOT NULL,
  description           text,
  enabled               boolean     NOT NULL,
  -- Why it is not enabled when nobody wanted that: 'failing', 'gone'.
  disabled_reason       text,
  -- Since when every delivery failed.
  failing_since         timestamptz,
  -- Sealed with the platform's secret. Two are live for a while after a rotation.
  secret                bytea       NOT NULL,
  previous_secret       bytea,
  previous_secret_until timestamptz,
  created_by            uuid        NOT NULL,
  created_at            timestamptz NOT NULL,
  updated_at            timestamptz NOT NULL,
  version               bigint      NOT NULL DEFAULT 1,
  CONSTRAINT webhooks_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT webhooks_disabled_reason_check CHECK (disabled_reason IN ('failing', 'gone')),
  CONSTRAINT webhooks_previous_secret_check CHECK ((previous_secret IS NULL) = (previous_secret_until IS NULL))
);

ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON webhooks
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Messages on their way to a webhook, and what became of them.
CREATE TABLE webhook_deliveries (
  tenant_id       uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id              uuid        NOT NULL,
  webhook_id      uuid        NOT NULL,
  -- The message's id, the same for every attempt and every replay.
  event_id        uuid        NOT NULL,
  kind            text        NOT NULL,
  event_at        timestamptz NOT NULL,
  data            jsonb       NOT NULL,
  -- The delivery that this one repeats.
  replay_of       uuid,
  status          text        NOT NULL,
  attempts        integer     NOT NULL DEFAULT 0,
  -- When to try next; while an attempt is under way, when to try again if nobody reports on it.
  next_attempt_at timestamptz,
  last_attempt_at timestamptz,
  response_status integer,
  response_excerpt text,
  latency_ms      integer,
  error           text,
  created_at      timestamptz NOT NULL,
  finished_at     timestamptz,
  CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT webhook_deliveries_webhook_fkey FOREIGN KEY (tenant_id, webhook_id)
    REFERENCES webhooks (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT webhook_deliveries_status_check CHECK (status IN ('pending', 'delivered', 'failed')),
  CONSTRAINT webhook_deliveries_next_check CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL))
);

-- An event goes to a webhook once, however often it is read.
CREATE UNIQUE INDEX webhook_deliveries_event_key ON webhook_deliveries (tenant_id, webhook_id, event_id)
  WHERE replay_of IS NULL;
CREATE INDEX webhook_deliveries_webhook_idx ON webhook_deliveries (tenant_id, webhook_id, id);
-- What is due, tenant by tenant.
CREATE INDEX webhook_deliveries_due_idx ON webhook_deliveries (tenant_id, next_attempt_at) WHERE status = 'pending';
-- What is old, tenant by tenant.
CREATE INDEX webhook_deliveries_finished_idx ON webhook_deliveries (tenant_id, finished_at) WHERE status <> 'pending';

ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON webhook_deliveries
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
