-- What a directory says of a user beside what users themselves have (RFC 7643 section 4.1): the directory's own name and
-- id of the user, and the parts of the name. A user without a row goes by their address.
CREATE TABLE scim_users (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  user_id       uuid        NOT NULL,
  user_name     text        NOT NULL,
  user_name_key text        NOT NULL GENERATED ALWAYS AS (lower(user_name)) STORED,
  external_id   text,
  given_name    text,
  family_name   text,
  CONSTRAINT scim_users_pkey PRIMARY KEY (tenant_id, user_id),
  CONSTRAINT scim_users_tenant_user_name_key UNIQUE (tenant_id, user_name_key),
  CONSTRAINT scim_users_user_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT scim_users_user_name_check CHECK (char_length(user_name) BETWEEN 1 AND 254),
  CONSTRAINT scim_users_external_id_check CHECK (char_length(external_id) BETWEEN 1 AND 254),
  CONSTRAINT scim_users_given_name_check CHECK (char_length(given_name) BETWEEN 1 AND 120),
  CONSTRAINT scim_users_family_name_check CHECK (char_length(family_name) BETWEEN 1 AND 120)
);

ALTER TABLE scim_users ENABLE ROW LEVEL SECURITY;
ALTER TABLE scim_users FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON scim_users
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- The directory's id of a group, which is a role here.
ALTER TABLE roles
  ADD COLUMN external_id text,
  ADD CONSTRAINT roles_external_id_check CHECK (char_length(external_id) BETWEEN 1 AND 254);
