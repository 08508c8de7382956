-- Tokens with which a client of the Model Context Protocol confirms a call that takes something away. fingerprint is the hash of
-- user, tool, arguments and token; the row goes when the token is used, or after its time with the next token of the tenant.
CREATE TABLE mcp_confirmations (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  fingerprint bytea       NOT NULL,
  expires_at  timestamptz NOT NULL,
  CONSTRAINT mcp_confirmations_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT mcp_confirmations_fingerprint_key UNIQUE (tenant_id, fingerprint)
);

CREATE INDEX mcp_confirmations_expires_idx ON mcp_confirmations (tenant_id, expires_at);

ALTER TABLE mcp_confirmations ENABLE ROW LEVEL SECURITY;
ALTER TABLE mcp_confirmations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON mcp_confirmations
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
