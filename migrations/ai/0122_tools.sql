-- Tools that a tenant made for itself: what may be called, where, with which effect. sealed has headers with secrets, sealed
-- with a key that is not in the database.
CREATE TABLE tools (
  tenant_id    uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id           uuid        NOT NULL,
  name         text        NOT NULL,
  definition   jsonb       NOT NULL,
  header_names text[]      NOT NULL DEFAULT '{}',
  sealed       bytea,
  created_by   uuid        NOT NULL,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  version      bigint      NOT NULL DEFAULT 1,
  CONSTRAINT tools_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT tools_name_key UNIQUE (tenant_id, name),
  CONSTRAINT tools_name_check CHECK (char_length(name) BETWEEN 1 AND 60)
);

ALTER TABLE tools ENABLE ROW LEVEL SECURITY;
ALTER TABLE tools FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tools
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
