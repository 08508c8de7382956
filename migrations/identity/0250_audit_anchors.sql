-- What the head of each tenant's audit log was, day by day, under a code that only who has the platform secret can make.
-- A chain whose end was cut off, or that was made anew from some entry on, does not fit its anchors any more, even if
-- whoever did it rewrote the head as well. The same line goes to the log, where the database's owner cannot reach it.
CREATE TABLE audit_anchors (
  tenant_id uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  seq       bigint      NOT NULL,
  hash      bytea       NOT NULL,
  at        timestamptz NOT NULL,
  mac       bytea       NOT NULL,
  CONSTRAINT audit_anchors_pkey PRIMARY KEY (tenant_id, seq),
  CONSTRAINT audit_anchors_hash_check CHECK (octet_length(hash) = 32),
  CONSTRAINT audit_anchors_mac_check CHECK (octet_length(mac) = 32)
);

-- When a tenant was anchored last.
CREATE INDEX audit_anchors_at_idx ON audit_anchors (tenant_id, at);

ALTER TABLE audit_anchors ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_anchors FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_anchors
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
-- Added, never changed.
REVOKE UPDATE, DELETE ON audit_anchors FROM identity_api;

-- The heads of all tenants that have grown since they were anchored, and were not anchored since an instant. In the order
-- of tenants, after one of them.
GRANT SELECT ON audit_anchors TO identity_relay;
CREATE POLICY anchoring ON audit_anchors FOR SELECT TO identity_relay USING (true);
CREATE POLICY anchoring ON audit_heads FOR SELECT TO identity_relay USING (true);

CREATE FUNCTION audit_heads_to_anchor(since timestamptz, after_tenant uuid, max integer)
RETURNS TABLE (tenant_id uuid, seq bigint, hash bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT h.tenant_id, h.seq, h.hash
  FROM identity.audit_heads AS h
  WHERE h.tenant_id > after_tenant
    AND NOT EXISTS (
      SELECT FROM identity.audit_anchors AS a WHERE a.tenant_id = h.tenant_id AND (a.seq >= h.seq OR a.at >= since))
  ORDER BY h.tenant_id
  LIMIT least(greatest(max, 0), 1000);
END;

ALTER FUNCTION audit_heads_to_anchor(timestamptz, uuid, integer) OWNER TO identity_relay;
