-- Servers of the Model Context Protocol whose tools agents may use. sealed has headers with secrets, sealed with a key that is not
-- in the database. peer is what the server told of itself at the last refresh.
CREATE TABLE mcp_servers (
  tenant_id       uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id              uuid        NOT NULL,
  name            text        NOT NULL,
  url             text        NOT NULL,
  header_names    text[]      NOT NULL DEFAULT '{}',
  sealed          bytea,
  enabled         boolean     NOT NULL DEFAULT true,
  timeout_seconds integer     NOT NULL DEFAULT 30,
  peer            jsonb,
  refreshed_at    timestamptz,
  created_by      uuid        NOT NULL,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  version         bigint      NOT NULL DEFAULT 1,
  CONSTRAINT mcp_servers_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT mcp_servers_name_key UNIQUE (tenant_id, name),
  CONSTRAINT mcp_servers_name_check CHECK (char_length(name) BETWEEN 1 AND 60),
  CONSTRAINT mcp_servers_timeout_check CHECK (timeout_seconds BETWEEN 1 AND 120)
);

ALTER TABLE mcp_servers ENABLE ROW LEVEL SECURITY;
ALTER TABLE mcp_servers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON mcp_servers
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
