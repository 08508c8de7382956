-- A role that a tenant made for itself: permissions by name (`leads:write`, `leads:*`, `*:read`). The names of the
-- built-in roles are nobody's: a token lists both kinds by name.
CREATE TABLE roles (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  name        text        NOT NULL,
  name_key    text        NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
  description text,
  permissions text[]      NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT roles_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT roles_tenant_name_key UNIQUE (tenant_id, name_key),
  CONSTRAINT roles_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE,
  CONSTRAINT roles_name_check CHECK (char_length(name) BETWEEN 1 AND 60 AND name = btrim(name)),
  CONSTRAINT roles_built_in_check CHECK (lower(name) NOT IN ('owner', 'admin', 'member', 'viewer')),
  CONSTRAINT roles_description_check CHECK (char_length(description) BETWEEN 1 AND 500),
  CONSTRAINT roles_permissions_check CHECK (cardinality(permissions) <= 200)
);

ALTER TABLE roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE roles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON roles
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
