-- Tokens that are good once: to verify an address, to reset a password, to confirm a new address, to take a change back.
-- Only the SHA-256 of the 256-bit secret is kept. `email` is the address that the token speaks of. Used or no longer good
-- is one thing: `used_at`.
CREATE TABLE one_time_tokens (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  user_id     uuid        NOT NULL,
  kind        text        NOT NULL,
  email       text        NOT NULL,
  secret_hash bytea       NOT NULL,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  used_at     timestamptz,
  CONSTRAINT one_time_tokens_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT one_time_tokens_user_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT one_time_tokens_kind_check CHECK (kind IN (
    'verify_email', 'reset_password', 'set_password', 'change_email', 'revert_email')),
  CONSTRAINT one_time_tokens_hash_check CHECK (octet_length(secret_hash) = 32)
);

ALTER TABLE one_time_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE one_time_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON one_time_tokens
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- A user's tokens: to end them together, to count the latest, and the target of the foreign key's cascade.
CREATE INDEX one_time_tokens_user_idx ON one_time_tokens (tenant_id, user_id, kind);
-- Expired ones, for the retention job.
CREATE INDEX one_time_tokens_expiry_idx ON one_time_tokens (tenant_id, expires_at);

GRANT SELECT, DELETE ON one_time_tokens TO identity_relay;
CREATE POLICY retention_reads ON one_time_tokens FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON one_time_tokens FOR DELETE TO identity_relay USING (true);

CREATE FUNCTION purge_one_time_tokens(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM identity.one_time_tokens AS doomed
    USING (SELECT tenant_id, id FROM identity.one_time_tokens WHERE expires_at < before LIMIT batch) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION purge_one_time_tokens(timestamptz, integer) OWNER TO identity_relay;
