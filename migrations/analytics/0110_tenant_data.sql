-- One row a tenant: the version of its data, one more with every write, which is in the key of everything that is
-- cached; and the time zones whose days are kept counted. A writer locks it last and briefly; whoever adds a zone locks
-- it first, so that no event is counted between the building of a zone's days and its entry here.
CREATE TABLE tenant_data (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  version       bigint      NOT NULL,
  zones         text[]      NOT NULL DEFAULT '{UTC}',
  wanted_zones  text[]      NOT NULL DEFAULT '{}',
  CONSTRAINT tenant_data_pkey PRIMARY KEY (tenant_id)
);

ALTER TABLE tenant_data ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_data FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tenant_data
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
