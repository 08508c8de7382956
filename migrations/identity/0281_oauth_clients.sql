-- Applications that log a tenant's users in through this service. A secret is derived from the platform's own secret, the
-- client's id and its generation; only SHA-256 hashes are kept. After a rotation the secret before it is good as well.
CREATE TABLE oauth_clients (
  tenant_id                  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id                         uuid        NOT NULL,
  name                       text        NOT NULL,
  redirect_uris              text[]      NOT NULL,
  post_logout_redirect_uris  text[]      NOT NULL,
  grant_types                text[]      NOT NULL,
  token_endpoint_auth_method text        NOT NULL,
  allowed_scopes             text[]      NOT NULL,
  role_claim_mapping         jsonb,
  secret_generation          integer     NOT NULL,
  secret_hash                bytea,
  previous_secret_hash       bytea,
  created_by                 uuid        NOT NULL,
  created_at                 timestamptz NOT NULL,
  updated_at                 timestamptz NOT NULL,
  version                    bigint      NOT NULL DEFAULT 1,
  CONSTRAINT oauth_clients_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT oauth_clients_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE,
  CONSTRAINT oauth_clients_name_check CHECK (char_length(name) BETWEEN 1 AND 120),
  CONSTRAINT oauth_clients_method_check
    CHECK (token_endpoint_auth_method IN ('client_secret_basic', 'client_secret_post', 'none')),
  CONSTRAINT oauth_clients_secret_check CHECK ((token_endpoint_auth_method = 'none') = (secret_hash IS NULL)),
  CONSTRAINT oauth_clients_generation_check CHECK (secret_generation >= 0)
);

ALTER TABLE oauth_clients ENABLE ROW LEVEL SECURITY;
ALTER TABLE oauth_clients FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON oauth_clients
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
