-- A member has at most one built-in role, `memberships.role`, and any of the tenant's own.
ALTER TABLE memberships ALTER COLUMN role DROP NOT NULL;

CREATE TABLE membership_roles (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  user_id    uuid        NOT NULL,
  role_id    uuid        NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT membership_roles_pkey PRIMARY KEY (tenant_id, user_id, role_id),
  CONSTRAINT membership_roles_member_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
  -- Restricts: a role that somebody has is not deleted by accident.
  CONSTRAINT membership_roles_role_fkey FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id)
);

-- Who has a role.
CREATE INDEX membership_roles_role_idx ON membership_roles (tenant_id, role_id, user_id);

ALTER TABLE membership_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE membership_roles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON membership_roles
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
