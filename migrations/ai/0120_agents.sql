-- Agents that a tenant made for itself. What an agent is stands in its versions, one row a change; this row points to the newest.
CREATE TABLE agents (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  name        text        NOT NULL,
  definition  jsonb       NOT NULL,
  created_by  uuid        NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT agents_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT agents_name_key UNIQUE (tenant_id, name),
  CONSTRAINT agents_name_check CHECK (char_length(name) BETWEEN 1 AND 60)
);

ALTER TABLE agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE agents FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON agents
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Every version that an agent had. Runs carry what they were started with, so that these are for people.
CREATE TABLE agent_versions (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  agent_id    uuid        NOT NULL,
  version     bigint      NOT NULL,
  definition  jsonb       NOT NULL,
  changed_by  uuid        NOT NULL,
  changed_at  timestamptz NOT NULL,
  CONSTRAINT agent_versions_pkey PRIMARY KEY (tenant_id, agent_id, version),
  CONSTRAINT agent_versions_agent_fkey FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE agent_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE agent_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON agent_versions
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
