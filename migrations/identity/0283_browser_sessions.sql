-- A browser that is logged in at the provider's own pages: what its cookie names. It lives and ends with a session like any
-- other, which the user sees and can end.
CREATE TABLE browser_sessions (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  session_id  uuid        NOT NULL,
  secret_hash bytea       NOT NULL,
  created_at  timestamptz NOT NULL,
  CONSTRAINT browser_sessions_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT browser_sessions_session_fkey FOREIGN KEY (tenant_id, session_id)
    REFERENCES sessions (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT browser_sessions_hash_check CHECK (octet_length(secret_hash) = 32)
);

ALTER TABLE browser_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE browser_sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON browser_sessions
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- The target of the foreign key's cascade.
CREATE INDEX browser_sessions_session_idx ON browser_sessions (tenant_id, session_id);
