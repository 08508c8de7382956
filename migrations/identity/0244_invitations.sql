-- Invitations into the tenant. The token is only in the mail; its SHA-256 is kept. Good once, for one address.
CREATE TABLE invitations (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  email       text        NOT NULL,
  roles       text[]      NOT NULL,
  message     text,
  secret_hash bytea       NOT NULL,
  lifetime    integer     NOT NULL,
  invited_by  uuid        NOT NULL,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  accepted_at timestamptz,
  accepted_by uuid,
  revoked_at  timestamptz,
  CONSTRAINT invitations_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT invitations_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE,
  CONSTRAINT invitations_email_check CHECK (char_length(email) BETWEEN 3 AND 254),
  CONSTRAINT invitations_message_check CHECK (char_length(message) <= 1000),
  CONSTRAINT invitations_hash_check CHECK (octet_length(secret_hash) = 32),
  CONSTRAINT invitations_accepted_check CHECK ((accepted_at IS NULL) = (accepted_by IS NULL)),
  CONSTRAINT invitations_closed_check CHECK (accepted_at IS NULL OR revoked_at IS NULL)
);

ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON invitations
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- One open invitation of an address.
CREATE UNIQUE INDEX invitations_open_key ON invitations (tenant_id, email)
  WHERE accepted_at IS NULL AND revoked_at IS NULL;
