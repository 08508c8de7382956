-- What a server offered at its last refresh. fingerprint is the hash of everything that a model, and the person who approves, reads
-- of it; the approval is of one fingerprint, so that a tool that changes is not approved any more. approved is what was read then.
CREATE TABLE mcp_tools (
  tenant_id            uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  server_id            uuid        NOT NULL,
  name                 text        NOT NULL,
  kind                 text        NOT NULL,
  definition           jsonb       NOT NULL,
  fingerprint          text        NOT NULL,
  fault                text,
  seen_at              timestamptz NOT NULL,
  approved_fingerprint text,
  approved             jsonb,
  approved_effect      text,
  approved_by          uuid,
  approved_at          timestamptz,
  CONSTRAINT mcp_tools_pkey PRIMARY KEY (tenant_id, server_id, name),
  CONSTRAINT mcp_tools_server_fkey FOREIGN KEY (tenant_id, server_id) REFERENCES mcp_servers (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT mcp_tools_name_check CHECK (char_length(name) BETWEEN 1 AND 128),
  CONSTRAINT mcp_tools_kind_check CHECK (kind IN ('tool', 'resources')),
  CONSTRAINT mcp_tools_effect_check CHECK (approved_effect IN ('read', 'write', 'destructive'))
);

ALTER TABLE mcp_tools ENABLE ROW LEVEL SECURITY;
ALTER TABLE mcp_tools FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON mcp_tools
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
