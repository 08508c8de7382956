-- The values of a dimension that are counted by themselves, at most 200 a dimension and tenant, the first that came. All
-- others are counted together, as '(other)': that bounds the rollups, whatever clients send. An entry stays, so that the
-- rollups made again from the events are the same.
CREATE TABLE dimension_values (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  dim           text        NOT NULL,
  value         text        NOT NULL,
  CONSTRAINT dimension_values_pkey PRIMARY KEY (tenant_id, dim, value)
);

ALTER TABLE dimension_values ENABLE ROW LEVEL SECURITY;
ALTER TABLE dimension_values FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON dimension_values
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
