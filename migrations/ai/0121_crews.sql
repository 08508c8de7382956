-- Crews: tasks that hang together, each done by an agent. As with agents, every version is kept.
CREATE TABLE crews (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  name        text        NOT NULL,
  definition  jsonb       NOT NULL,
  created_by  uuid        NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT crews_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT crews_name_key UNIQUE (tenant_id, name),
  CONSTRAINT crews_name_check CHECK (char_length(name) BETWEEN 1 AND 60)
);

ALTER TABLE crews ENABLE ROW LEVEL SECURITY;
ALTER TABLE crews FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON crews
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Every version that a crew had. Runs carry what they were started with, so that these are for people.
CREATE TABLE crew_versions (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  crew_id    uuid        NOT NULL,
  version     bigint      NOT NULL,
  definition  jsonb       NOT NULL,
  changed_by  uuid        NOT NULL,
  changed_at  timestamptz NOT NULL,
  CONSTRAINT crew_versions_pkey PRIMARY KEY (tenant_id, crew_id, version),
  CONSTRAINT crew_versions_crew_fkey FOREIGN KEY (tenant_id, crew_id) REFERENCES crews (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE crew_versions ENABLE ROW LEVEL SECURITY;
ALTER TABLE crew_versions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON crew_versions
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
