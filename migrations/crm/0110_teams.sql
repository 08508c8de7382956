-- Teams of a tenant's users, and what a role may see and change of whose records.
CREATE TABLE teams (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  name        text        NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT teams_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT teams_name_key UNIQUE (tenant_id, name)
);

ALTER TABLE teams ENABLE ROW LEVEL SECURITY;
ALTER TABLE teams FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON teams
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE TABLE team_members (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  user_id     uuid        NOT NULL,
  team_id     uuid        NOT NULL,
  CONSTRAINT team_members_pkey PRIMARY KEY (tenant_id, user_id, team_id),
  CONSTRAINT team_members_team_fkey FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_members FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON team_members
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX team_members_team_idx ON team_members (tenant_id, team_id);

-- Where there is no row, a role sees and changes all records that its permissions let it.
CREATE TABLE record_access (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  role        text        NOT NULL,
  record_type text        NOT NULL,
  reads       text        NOT NULL,
  writes      text        NOT NULL,
  updated_at  timestamptz NOT NULL,
  CONSTRAINT record_access_pkey PRIMARY KEY (tenant_id, role, record_type),
  CONSTRAINT record_access_reads_check CHECK (reads IN ('none', 'own', 'team', 'all')),
  CONSTRAINT record_access_writes_check CHECK (writes IN ('none', 'own', 'team', 'all'))
);

ALTER TABLE record_access ENABLE ROW LEVEL SECURITY;
ALTER TABLE record_access FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON record_access
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
