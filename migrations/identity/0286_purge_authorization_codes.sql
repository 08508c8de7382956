-- Retention crosses tenants: one bounded batch of authorization codes that ended before an instant. Answers how many rows
-- went; less than `batch` means that nothing is left.
GRANT SELECT, DELETE ON authorization_codes TO identity_relay;
CREATE POLICY retention_reads ON authorization_codes FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON authorization_codes FOR DELETE TO identity_relay USING (true);

CREATE FUNCTION purge_authorization_codes(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM identity.authorization_codes AS doomed
    USING (
      SELECT tenant_id, id FROM identity.authorization_codes WHERE expires_at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION purge_authorization_codes(timestamptz, integer) OWNER TO identity_relay;
