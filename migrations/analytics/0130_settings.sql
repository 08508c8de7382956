-- What a tenant's numbers are told in, where a question does not say: one row a tenant.
CREATE TABLE settings (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  timezone    text        NOT NULL DEFAULT 'UTC',
  currency    text,
  updated_at  timestamptz NOT NULL,
  CONSTRAINT settings_pkey PRIMARY KEY (tenant_id),
  CONSTRAINT settings_timezone_check CHECK (length(timezone) BETWEEN 1 AND 64),
  CONSTRAINT settings_currency_check CHECK (currency ~ '^[A-Z]{3}$')
);

ALTER TABLE settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE settings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON settings
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
