-- Counts by 15 minutes, grown in the statement that inserts the events. 15 minutes are exact for every time zone there
-- is; hours are not (India, Nepal, parts of Australia), and days in UTC are wrong for most tenants.
CREATE TABLE rollup_15m (
  tenant_id uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  bucket    timestamptz NOT NULL,
  name      text        NOT NULL,
  cnt       bigint      NOT NULL,
  CONSTRAINT rollup_15m_pkey PRIMARY KEY (tenant_id, bucket, name)
);

ALTER TABLE rollup_15m ENABLE ROW LEVEL SECURITY;
ALTER TABLE rollup_15m FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON rollup_15m
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
