-- Keys for programs that act as the user who made them. Only the SHA-256 of the 256-bit secret is kept. A key's rights are
-- its scopes, as far as its owner still has them. `last_used_at` is written at most once a minute.
CREATE TABLE api_keys (
  tenant_id    uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id           uuid        NOT NULL,
  owner_id     uuid        NOT NULL,
  name         text        NOT NULL,
  scopes       text[]      NOT NULL,
  ip_allow     text[]      NOT NULL DEFAULT '{}',
  secret_hash  bytea       NOT NULL,
  expires_at   timestamptz NOT NULL,
  last_used_at timestamptz,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  version      bigint      NOT NULL DEFAULT 1,
  CONSTRAINT api_keys_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT api_keys_owner_fkey FOREIGN KEY (tenant_id, owner_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT api_keys_name_check CHECK (char_length(name) BETWEEN 1 AND 120),
  CONSTRAINT api_keys_scopes_check CHECK (cardinality(scopes) BETWEEN 1 AND 50),
  CONSTRAINT api_keys_ip_allow_check CHECK (cardinality(ip_allow) <= 50),
  CONSTRAINT api_keys_hash_check CHECK (octet_length(secret_hash) = 32)
);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON api_keys
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- The target of the foreign key's cascade.
CREATE INDEX api_keys_owner_idx ON api_keys (tenant_id, owner_id);

-- What services remember of a key is forgotten when the key changes.
ALTER TABLE revocations DROP CONSTRAINT revocations_kind_check;
ALTER TABLE revocations ADD CONSTRAINT revocations_kind_check
  CHECK (kind IN ('session', 'user', 'tenant', 'api_key'));
