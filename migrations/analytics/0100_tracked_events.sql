-- Everything that happened, told by clients (POST /api/events) and by the other services' feeds. The id is given by
-- the sender, so that sending twice counts once. (The table named events is this service's own outbox.)
CREATE TABLE tracked_events (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  event_id    uuid        NOT NULL,
  ts          timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  name        text        NOT NULL,
  actor_id    text,
  session_id  text,
  value_minor bigint,
  currency    text,
  props       jsonb       NOT NULL DEFAULT '{}',
  CONSTRAINT tracked_events_pkey PRIMARY KEY (tenant_id, event_id),
  CONSTRAINT tracked_events_currency_check CHECK ((currency IS NULL) = (value_minor IS NULL))
);

ALTER TABLE tracked_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE tracked_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tracked_events
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Rebuilding a rollup from raw.
CREATE INDEX tracked_events_ts_idx ON tracked_events (tenant_id, ts);
