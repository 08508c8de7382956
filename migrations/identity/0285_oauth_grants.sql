-- What a session of an application may do: which client it belongs to, and with which scopes.
CREATE TABLE oauth_grants (
  tenant_id  uuid   NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  session_id uuid   NOT NULL,
  client_id  uuid   NOT NULL,
  scopes     text[] NOT NULL,
  CONSTRAINT oauth_grants_pkey PRIMARY KEY (tenant_id, session_id),
  CONSTRAINT oauth_grants_session_fkey FOREIGN KEY (tenant_id, session_id)
    REFERENCES sessions (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT oauth_grants_client_fkey FOREIGN KEY (tenant_id, client_id)
    REFERENCES oauth_clients (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE oauth_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE oauth_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON oauth_grants
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- A client's sessions, and the target of the foreign key's cascade.
CREATE INDEX oauth_grants_client_idx ON oauth_grants (tenant_id, client_id);
