-- Questions that wait for a yes: bound to one user, to the hash of the exact arguments, used once, for ten minutes.
CREATE TABLE confirmations (
  tenant_id       uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id              uuid        NOT NULL,
  conversation_id uuid        NOT NULL,
  user_id         uuid        NOT NULL,
  action          jsonb       NOT NULL,
  action_hash     bytea       NOT NULL,
  summary         text        NOT NULL,
  status          text        NOT NULL DEFAULT 'pending',
  created_at      timestamptz NOT NULL,
  expires_at      timestamptz NOT NULL,
  decided_at      timestamptz,
  CONSTRAINT confirmations_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT confirmations_conversation_fkey FOREIGN KEY (tenant_id, conversation_id)
    REFERENCES conversations (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT confirmations_status_check CHECK (status IN ('pending', 'confirmed', 'rejected', 'dropped')),
  CONSTRAINT confirmations_decided_check CHECK ((status = 'pending') = (decided_at IS NULL))
);

ALTER TABLE confirmations ENABLE ROW LEVEL SECURITY;
ALTER TABLE confirmations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON confirmations
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- A conversation waits for one answer at most.
CREATE UNIQUE INDEX confirmations_pending_key ON confirmations (tenant_id, conversation_id) WHERE status = 'pending';
