-- Retention crosses tenants: one bounded batch of conversations in which nothing was said since an instant, with everything
-- that belongs to them. Answers how many went; less than `batch` means that nothing is left.
GRANT SELECT, DELETE ON conversations TO {{schema}}_relay;
CREATE POLICY retention_reads ON conversations FOR SELECT TO {{schema}}_relay USING (true);
CREATE POLICY retention_deletes ON conversations FOR DELETE TO {{schema}}_relay USING (true);

CREATE FUNCTION purge_conversations(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM {{schema}}.conversations AS doomed
    USING (
      SELECT tenant_id, id FROM {{schema}}.conversations WHERE last_message_at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION purge_conversations(timestamptz, integer) OWNER TO {{schema}}_relay;
