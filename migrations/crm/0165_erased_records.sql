-- Records of people who were erased: an empty row stays, so that counts and sums stay right, and is never erased again.
CREATE TABLE erased_records (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  record_type text        NOT NULL,
  record_id   uuid        NOT NULL,
  erased_at   timestamptz NOT NULL,
  CONSTRAINT erased_records_pkey PRIMARY KEY (tenant_id, record_type, record_id)
);

ALTER TABLE erased_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_records FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON erased_records
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
