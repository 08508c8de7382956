-- Retention crosses tenants: one bounded batch of invitations that were accepted, taken back or ran out before an instant.
-- Answers how many rows went; less than `batch` means that nothing is left.
GRANT SELECT, DELETE ON invitations TO identity_relay;
CREATE POLICY retention_reads ON invitations FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON invitations FOR DELETE TO identity_relay USING (true);

CREATE FUNCTION purge_invitations(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM identity.invitations AS doomed
    USING (
      SELECT tenant_id, id FROM identity.invitations
      WHERE coalesce(accepted_at, revoked_at, expires_at) < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION purge_invitations(timestamptz, integer) OWNER TO identity_relay;
