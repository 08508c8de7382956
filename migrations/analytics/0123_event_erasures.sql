-- Orders to erase what one actor did. The actor's id goes when the order is done.
CREATE TABLE event_erasures (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id            uuid        NOT NULL,
  actor_id      text,
  status        text        NOT NULL DEFAULT 'queued',
  created_by    uuid        NOT NULL,
  created_at    timestamptz NOT NULL,
  -- The UTC day up to which events were looked at, counted downwards from created_at.
  reached       date,
  deleted       bigint      NOT NULL DEFAULT 0,
  due_at        timestamptz NOT NULL,
  finished_at   timestamptz,
  CONSTRAINT event_erasures_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT event_erasures_status_check CHECK (status IN ('queued', 'running', 'succeeded')),
  CONSTRAINT event_erasures_actor_check CHECK ((actor_id IS NULL) = (status = 'succeeded'))
);

ALTER TABLE event_erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON event_erasures
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
