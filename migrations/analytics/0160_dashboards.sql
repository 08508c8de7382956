-- Dashboards of a tenant: tiles, each a question and how it is drawn, and the view (days, time zone, comparison, filters)
-- that all of them are asked for. template says which one it was made of, and which version of that.
CREATE TABLE dashboards (
  tenant_id         uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id                uuid        NOT NULL,
  name              text        NOT NULL,
  description       text        NOT NULL DEFAULT '',
  view              jsonb       NOT NULL DEFAULT '{}',
  tiles             jsonb       NOT NULL DEFAULT '[]',
  template          text,
  template_version  integer,
  created_by        uuid        NOT NULL,
  created_at        timestamptz NOT NULL,
  updated_at        timestamptz NOT NULL,
  version           bigint      NOT NULL DEFAULT 1,
  CONSTRAINT dashboards_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT dashboards_template_check CHECK ((template IS NULL) = (template_version IS NULL))
);

ALTER TABLE dashboards ENABLE ROW LEVEL SECURITY;
ALTER TABLE dashboards FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON dashboards
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
