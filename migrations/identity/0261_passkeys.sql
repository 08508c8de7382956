-- Passkeys (WebAuthn). `credential` is the public key with its counter and flags. A credential's id is random and belongs
-- to one user of the installation: it names the tenant before the tenant is known, as a slug does.
CREATE TABLE passkeys (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id            uuid        NOT NULL,
  user_id       uuid        NOT NULL,
  name          text        NOT NULL,
  credential_id bytea       NOT NULL,
  credential    jsonb       NOT NULL,
  created_at    timestamptz NOT NULL,
  last_used_at  timestamptz,
  CONSTRAINT passkeys_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT passkeys_user_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT passkeys_name_check CHECK (char_length(name) BETWEEN 1 AND 120),
  CONSTRAINT passkeys_credential_id_check CHECK (octet_length(credential_id) BETWEEN 16 AND 1023)
);

ALTER TABLE passkeys ENABLE ROW LEVEL SECURITY;
ALTER TABLE passkeys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON passkeys
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX passkeys_user_idx ON passkeys (tenant_id, user_id, id);
CREATE UNIQUE INDEX passkeys_credential_key ON passkeys (credential_id);

GRANT SELECT ON passkeys TO identity_relay;
CREATE POLICY directory ON passkeys FOR SELECT TO identity_relay USING (true);

-- The tenant in which a credential logs in, or null.
CREATE FUNCTION tenant_of_passkey(wanted bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT tenant_id FROM identity.passkeys WHERE credential_id = wanted);

ALTER FUNCTION tenant_of_passkey(bytea) OWNER TO identity_relay;

-- What the service must remember between the two requests of a registration.
CREATE TABLE passkey_registrations (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id         uuid        NOT NULL,
  user_id    uuid        NOT NULL,
  state      jsonb       NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT passkey_registrations_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT passkey_registrations_user_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE passkey_registrations ENABLE ROW LEVEL SECURITY;
ALTER TABLE passkey_registrations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON passkey_registrations
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX passkey_registrations_user_idx ON passkey_registrations (tenant_id, user_id);

-- Ceremonies that a login was made of, until they have expired: each is good once.
CREATE TABLE passkey_logins (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  ceremony_id uuid        NOT NULL,
  user_id     uuid        NOT NULL,
  expires_at  timestamptz NOT NULL,
  CONSTRAINT passkey_logins_pkey PRIMARY KEY (tenant_id, ceremony_id),
  CONSTRAINT passkey_logins_user_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE passkey_logins ENABLE ROW LEVEL SECURITY;
ALTER TABLE passkey_logins FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON passkey_logins
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX passkey_logins_user_idx ON passkey_logins (tenant_id, user_id);
