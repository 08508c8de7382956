-- A person with a password in a home tenant. The same address in two tenants is two users. `email` is kept in its
-- normalised form only: trimmed, lower case, the domain in its ASCII form.
CREATE TABLE users (
  tenant_id         uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id                uuid        NOT NULL,
  email             text        NOT NULL,
  name              text,
  password_hash     text,
  status            text        NOT NULL DEFAULT 'active',
  email_verified_at timestamptz,
  created_at        timestamptz NOT NULL,
  updated_at        timestamptz NOT NULL,
  version           bigint      NOT NULL DEFAULT 1,
  CONSTRAINT users_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT users_tenant_email_key UNIQUE (tenant_id, email),
  CONSTRAINT users_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE,
  CONSTRAINT users_email_check CHECK (char_length(email) BETWEEN 3 AND 254),
  CONSTRAINT users_name_check CHECK (char_length(name) BETWEEN 1 AND 120),
  CONSTRAINT users_status_check CHECK (status IN ('active', 'disabled'))
);

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON users
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
