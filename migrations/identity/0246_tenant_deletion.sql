-- A deleted tenant lets nobody in; for a while it can be restored, and then its rows go.
ALTER TABLE tenants DROP CONSTRAINT tenants_status_check;
ALTER TABLE tenants
  ADD COLUMN deleted_at timestamptz,
  ADD CONSTRAINT tenants_status_check CHECK (status IN ('active', 'suspended', 'deleted')),
  ADD CONSTRAINT tenants_deleted_check CHECK ((status = 'deleted') = (deleted_at IS NOT NULL));

-- The tenants that were deleted before an instant.
CREATE FUNCTION tenants_to_erase(before timestamptz, most integer) RETURNS TABLE (tenant uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT t.tenant_id FROM identity.tenants AS t WHERE t.status = 'deleted' AND t.deleted_at < before
  ORDER BY t.deleted_at LIMIT least(greatest(most, 0), 1000);
END;

-- Deletes a batch of the audit log of the transaction's tenant, which nothing else may delete; none unless the tenant was
-- deleted some weeks ago by the database's own clock. Answers how many rows went.
GRANT SELECT, DELETE ON audit_log TO identity_relay;
CREATE POLICY erasure_reads ON audit_log FOR SELECT TO identity_relay USING (true);
CREATE POLICY erasure_deletes ON audit_log FOR DELETE TO identity_relay USING (true);
CREATE FUNCTION erase_audit_log(batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM identity.audit_log AS doomed
    USING (
      SELECT a.tenant_id, a.id FROM identity.audit_log AS a
      JOIN identity.tenants AS t ON t.tenant_id = a.tenant_id
      WHERE a.tenant_id = current_setting('app.tenant_id')::uuid
        AND t.status = 'deleted' AND t.deleted_at < now() - interval '29 days'
      LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

-- Takes away what other tenants have of the transaction's tenant: its people as their guests, and their people's notes of
-- being guests here. Answers how many guests went.
CREATE FUNCTION forget_guests() RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH here AS (
    SELECT tenant_id FROM identity.tenants
    WHERE tenant_id = current_setting('app.tenant_id')::uuid AND status = 'deleted'
  ), guests AS (
    DELETE FROM identity.users AS g
    USING here, identity.guest_memberships AS p
    WHERE p.tenant_id = here.tenant_id AND g.tenant_id = p.guest_tenant_id AND g.id = p.user_id
      AND g.home_tenant_id = here.tenant_id
    RETURNING 1
  ), notes AS (
    DELETE FROM identity.guest_memberships AS p
    USING here, identity.users AS g
    WHERE g.tenant_id = here.tenant_id AND p.tenant_id = g.home_tenant_id AND p.user_id = g.id
      AND p.guest_tenant_id = here.tenant_id
    RETURNING 1
  )
  SELECT count(*) FROM guests;
END;

ALTER FUNCTION tenants_to_erase(timestamptz, integer) OWNER TO identity_relay;
ALTER FUNCTION erase_audit_log(integer) OWNER TO identity_relay;
ALTER FUNCTION forget_guests() OWNER TO identity_relay;
