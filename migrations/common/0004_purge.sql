-- Retention crosses tenants: one bounded batch of events, and one of remembered answers, from before an instant. Each
-- answers how many rows went; less than `batch` means that nothing is left.
GRANT SELECT, DELETE ON idempotency_keys TO {{schema}}_relay;
CREATE POLICY retention_reads ON idempotency_keys FOR SELECT TO {{schema}}_relay USING (true);
CREATE POLICY retention_deletes ON idempotency_keys FOR DELETE TO {{schema}}_relay USING (true);
GRANT DELETE ON events TO {{schema}}_relay;
CREATE POLICY retention_deletes ON events FOR DELETE TO {{schema}}_relay USING (true);

CREATE FUNCTION purge_idempotency_keys(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM {{schema}}.idempotency_keys AS doomed
    USING (
      SELECT tenant_id, user_id, operation, key FROM {{schema}}.idempotency_keys WHERE created_at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.user_id = old.user_id AND doomed.operation = old.operation
      AND doomed.key = old.key
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION purge_idempotency_keys(timestamptz, integer) OWNER TO {{schema}}_relay;

-- In the feed's order, so that only the oldest are looked at.
CREATE FUNCTION purge_events(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM {{schema}}.events AS doomed
    USING (SELECT tenant_id, id, at FROM {{schema}}.events ORDER BY txid, seq LIMIT batch) AS oldest
    WHERE doomed.tenant_id = oldest.tenant_id AND doomed.id = oldest.id AND oldest.at < before
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION purge_events(timestamptz, integer) OWNER TO {{schema}}_relay;
