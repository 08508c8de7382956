-- Head and anchors of a deleted tenant's audit log go after the log itself (erase_audit_log), under the same condition.
-- Answers how many rows went.
GRANT DELETE ON audit_heads, audit_anchors TO identity_relay;
CREATE POLICY erasure_deletes ON audit_heads FOR DELETE TO identity_relay USING (true);
CREATE POLICY erasure_deletes ON audit_anchors FOR DELETE TO identity_relay USING (true);

CREATE FUNCTION erase_audit_heads() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH here AS (
    SELECT tenant_id FROM identity.tenants
    WHERE tenant_id = current_setting('app.tenant_id')::uuid
      AND status = 'deleted' AND deleted_at < now() - interval '29 days'
  ), anchors AS (
    DELETE FROM identity.audit_anchors AS a USING here WHERE a.tenant_id = here.tenant_id RETURNING 1
  ), heads AS (
    DELETE FROM identity.audit_heads AS h USING here WHERE h.tenant_id = here.tenant_id RETURNING 1
  )
  SELECT (SELECT count(*) FROM anchors) + (SELECT count(*) FROM heads);
END;

ALTER FUNCTION erase_audit_heads() OWNER TO identity_relay;
