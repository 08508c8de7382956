-- What a user has allowed an application: nobody is asked twice for the same.
CREATE TABLE oauth_consents (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  user_id    uuid        NOT NULL,
  client_id  uuid        NOT NULL,
  scopes     text[]      NOT NULL,
  granted_at timestamptz NOT NULL,
  CONSTRAINT oauth_consents_pkey PRIMARY KEY (tenant_id, user_id, client_id),
  CONSTRAINT oauth_consents_user_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT oauth_consents_client_fkey FOREIGN KEY (tenant_id, client_id)
    REFERENCES oauth_clients (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE oauth_consents ENABLE ROW LEVEL SECURITY;
ALTER TABLE oauth_consents FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON oauth_consents
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- The target of the foreign key's cascade.
CREATE INDEX oauth_consents_client_idx ON oauth_consents (tenant_id, client_id);
