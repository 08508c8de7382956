-- Programs that are somebody of their own in a tenant: with a role, and with client secrets (RFC 6749 section 4.4), two at
-- most, so that one is replaced while the other is in use. Only the SHA-256 of a 256-bit secret is kept.
CREATE TABLE service_accounts (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  name        text        NOT NULL,
  description text,
  role        text        NOT NULL,
  status      text        NOT NULL DEFAULT 'active',
  created_by  uuid        NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT service_accounts_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT service_accounts_name_check CHECK (char_length(name) BETWEEN 1 AND 120),
  CONSTRAINT service_accounts_description_check CHECK (char_length(description) <= 500),
  CONSTRAINT service_accounts_role_check CHECK (role IN ('admin', 'member', 'viewer')),
  CONSTRAINT service_accounts_status_check CHECK (status IN ('active', 'disabled'))
);

ALTER TABLE service_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE service_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON service_accounts
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE TABLE service_account_secrets (
  tenant_id          uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id                 uuid        NOT NULL,
  service_account_id uuid        NOT NULL,
  secret_hash        bytea       NOT NULL,
  created_at         timestamptz NOT NULL,
  last_used_at       timestamptz,
  CONSTRAINT service_account_secrets_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT service_account_secrets_account_fkey FOREIGN KEY (tenant_id, service_account_id)
    REFERENCES service_accounts (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT service_account_secrets_hash_check CHECK (octet_length(secret_hash) = 32)
);

ALTER TABLE service_account_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE service_account_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON service_account_secrets
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- An account's secrets, and the target of the foreign key's cascade.
CREATE INDEX service_account_secrets_account_idx ON service_account_secrets (tenant_id, service_account_id);
