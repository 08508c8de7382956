-- Links that show one dashboard to whoever has them, without a token of the tenant. The link itself is signed and not kept
-- here; view is what it shows and what nobody who has it can change.
CREATE TABLE dashboard_shares (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id            uuid        NOT NULL,
  dashboard_id  uuid        NOT NULL,
  name          text        NOT NULL,
  view          jsonb       NOT NULL,
  expires_at    timestamptz NOT NULL,
  revoked_at    timestamptz,
  created_by    uuid        NOT NULL,
  created_at    timestamptz NOT NULL,
  CONSTRAINT dashboard_shares_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT dashboard_shares_dashboard_fkey FOREIGN KEY (tenant_id, dashboard_id)
    REFERENCES dashboards (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE dashboard_shares ENABLE ROW LEVEL SECURITY;
ALTER TABLE dashboard_shares FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON dashboard_shares
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX dashboard_shares_dashboard_idx ON dashboard_shares (tenant_id, dashboard_id, id);
