-- Who changed what of a record, field by field: the timeline and the audit trail. A creation has no row: the record
-- itself says who and when. Only added to.
CREATE TABLE record_changes (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  record_type text        NOT NULL,
  record_id   uuid        NOT NULL,
  action      text        NOT NULL,
  actor       uuid,
  at          timestamptz NOT NULL,
  changes     jsonb       NOT NULL DEFAULT '{}',
  reason      text,
  CONSTRAINT record_changes_pkey PRIMARY KEY (tenant_id, id)
);

ALTER TABLE record_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE record_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON record_changes
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX record_changes_record_idx ON record_changes (tenant_id, record_id, id);

-- Saved views: a filter, an order and columns under a name.
CREATE TABLE views (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  record_type text        NOT NULL,
  name        text        NOT NULL,
  filter      jsonb,
  sort        text,
  columns     text[]      NOT NULL DEFAULT '{}',
  shared      boolean     NOT NULL DEFAULT false,
  created_by  uuid        NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT views_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT views_name_key UNIQUE (tenant_id, created_by, record_type, name)
);

ALTER TABLE views ENABLE ROW LEVEL SECURITY;
ALTER TABLE views FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON views
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
