-- One generation of a session's refresh token. Only the SHA-256 of the 256-bit secret is kept; the order of
-- generations is a counter, never a time.
CREATE TABLE refresh_tokens (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  session_id  uuid        NOT NULL,
  generation  integer     NOT NULL,
  secret_hash bytea       NOT NULL,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  used_at     timestamptz,
  CONSTRAINT refresh_tokens_pkey PRIMARY KEY (tenant_id, session_id, generation),
  CONSTRAINT refresh_tokens_session_fkey FOREIGN KEY (tenant_id, session_id)
    REFERENCES sessions (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT refresh_tokens_generation_check CHECK (generation >= 1),
  CONSTRAINT refresh_tokens_hash_check CHECK (octet_length(secret_hash) = 32)
);

ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON refresh_tokens
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Expired generations, for the retention job.
CREATE INDEX refresh_tokens_expiry_idx ON refresh_tokens (tenant_id, expires_at);
