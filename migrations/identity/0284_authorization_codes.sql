-- Authorization codes (RFC 6749 section 4.1): good once, for a minute. `used_at` and the session that came of it are kept
-- until the row is purged, so that a second use ends that session.
CREATE TABLE authorization_codes (
  tenant_id         uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id                uuid        NOT NULL,
  secret_hash       bytea       NOT NULL,
  client_id         uuid        NOT NULL,
  user_id           uuid        NOT NULL,
  redirect_uri      text        NOT NULL,
  scopes            text[]      NOT NULL,
  nonce             text,
  code_challenge    text        NOT NULL,
  auth_time         timestamptz NOT NULL,
  acr               text        NOT NULL,
  amr               text[]      NOT NULL,
  created_at        timestamptz NOT NULL,
  expires_at        timestamptz NOT NULL,
  used_at           timestamptz,
  issued_session_id uuid,
  CONSTRAINT authorization_codes_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT authorization_codes_client_fkey FOREIGN KEY (tenant_id, client_id)
    REFERENCES oauth_clients (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT authorization_codes_user_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT authorization_codes_hash_check CHECK (octet_length(secret_hash) = 32),
  CONSTRAINT authorization_codes_used_check CHECK ((used_at IS NULL) = (issued_session_id IS NULL))
);

ALTER TABLE authorization_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE authorization_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON authorization_codes
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- The targets of the foreign keys' cascades, and what the retention job looks for.
CREATE INDEX authorization_codes_client_idx ON authorization_codes (tenant_id, client_id);
CREATE INDEX authorization_codes_user_idx ON authorization_codes (tenant_id, user_id);
CREATE INDEX authorization_codes_expiry_idx ON authorization_codes (tenant_id, expires_at);
