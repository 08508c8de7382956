-- Every service keeps the revocations of the last hour in memory and asks twice a second for those that it has not seen.
-- What it has seen is a snapshot (`pg_snapshot`), so that a revocation is told as soon as it is visible, also while an
-- older transaction is still open elsewhere: the feed of events waits for those, a revocation must not.
ALTER TABLE revocations ADD COLUMN txid xid8 NOT NULL DEFAULT pg_current_xact_id();
-- Only revocations_since uses it: the rows that a snapshot can have missed.
CREATE INDEX revocations_txid_idx ON revocations (txid);

GRANT SELECT, DELETE ON revocations TO identity_relay;
CREATE POLICY feed ON revocations FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON revocations FOR DELETE TO identity_relay USING (true);

-- The newest revocations of all tenants that `seen` did not see and that were made after `since`, newest first.
CREATE FUNCTION revocations_since(seen pg_snapshot, since timestamptz, max integer)
RETURNS TABLE (kind text, tenant_id uuid, subject uuid, revoked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.kind, r.tenant_id, r.subject, max(r.revoked_at)
  FROM identity.revocations AS r
  WHERE r.txid >= pg_snapshot_xmin(seen) AND NOT pg_visible_in_snapshot(r.txid, seen) AND r.revoked_at > since
  GROUP BY r.kind, r.tenant_id, r.subject
  ORDER BY 4 DESC
  LIMIT least(greatest(max, 0), 100000);
END;

-- One bounded batch of revocations from before an instant; answers how many rows went.
CREATE FUNCTION purge_revocations(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM identity.revocations AS doomed
    USING (
      SELECT tenant_id, id, revoked_at FROM identity.revocations ORDER BY txid LIMIT batch
    ) AS oldest
    WHERE doomed.tenant_id = oldest.tenant_id AND doomed.id = oldest.id AND oldest.revoked_at < before
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION revocations_since(pg_snapshot, timestamptz, integer) OWNER TO identity_relay;
ALTER FUNCTION purge_revocations(timestamptz, integer) OWNER TO identity_relay;
