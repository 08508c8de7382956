-- What sources do across tenants: finding what is due, and retention.
GRANT SELECT, UPDATE, DELETE ON source_runs TO {{schema}}_relay;
GRANT SELECT ON data_sources TO {{schema}}_relay;
GRANT SELECT, DELETE ON source_run_pieces TO {{schema}}_relay;
CREATE POLICY source_functions ON source_runs TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY source_functions ON data_sources FOR SELECT TO {{schema}}_relay USING (true);
CREATE POLICY source_functions ON source_run_pieces TO {{schema}}_relay USING (true) WITH CHECK (true);

-- Takes at most `max` runs that are due, one of a tenant, none of a tenant of which one is being worked on. They come up
-- again at `lease` unless somebody reports on them. Whoever waits longest is first.
CREATE FUNCTION source_runs_due(now timestamptz, lease timestamptz, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE tenants AS (
    (SELECT r.tenant_id FROM {{schema}}.source_runs AS r WHERE r.status IN ('queued', 'running') ORDER BY r.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.tenant_id FROM {{schema}}.source_runs AS r
            WHERE r.status IN ('queued', 'running') AND r.tenant_id > t.tenant_id ORDER BY r.tenant_id LIMIT 1)
    FROM tenants AS t WHERE t.tenant_id IS NOT NULL
  ), first AS (
    SELECT t.tenant_id, due.id, due.due_at
    FROM tenants AS t
    CROSS JOIN LATERAL (
      SELECT r.id, r.due_at FROM {{schema}}.source_runs AS r
      WHERE r.tenant_id = t.tenant_id AND r.status IN ('queued', 'running') AND r.due_at <= now
      ORDER BY r.due_at LIMIT 1
    ) AS due
    WHERE t.tenant_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM {{schema}}.source_runs AS r WHERE r.tenant_id = t.tenant_id AND r.status = 'running' AND r.due_at > now)
    ORDER BY due.due_at
    LIMIT least(greatest(max, 0), 100)
  ), taken AS (
    SELECT r.tenant_id, r.id FROM {{schema}}.source_runs AS r
    JOIN first ON first.tenant_id = r.tenant_id AND first.id = r.id
    -- Looked at again under the lock: another replica may have taken it since.
    WHERE r.status IN ('queued', 'running') AND r.due_at <= now
    FOR UPDATE OF r SKIP LOCKED
  )
  UPDATE {{schema}}.source_runs AS r
  SET status = 'running', due_at = lease, claims = r.claims + 1, attempts = r.attempts + 1,
      started_at = coalesce(r.started_at, now)
  FROM taken WHERE r.tenant_id = taken.tenant_id AND r.id = taken.id
  RETURNING r.tenant_id, r.id;
END;

-- Sources whose next asking is due, a few of each tenant. Whoever is answered one makes a run of it under the tenant.
CREATE FUNCTION data_sources_due(now timestamptz, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE tenants AS (
    (SELECT s.tenant_id FROM {{schema}}.data_sources AS s WHERE s.next_sync_at IS NOT NULL ORDER BY s.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT s.tenant_id FROM {{schema}}.data_sources AS s
            WHERE s.next_sync_at IS NOT NULL AND s.tenant_id > t.tenant_id ORDER BY s.tenant_id LIMIT 1)
    FROM tenants AS t WHERE t.tenant_id IS NOT NULL
  )
  SELECT t.tenant_id, due.id
  FROM tenants AS t
  CROSS JOIN LATERAL (
    SELECT s.id FROM {{schema}}.data_sources AS s
    WHERE s.tenant_id = t.tenant_id AND s.next_sync_at <= now ORDER BY s.next_sync_at LIMIT 5
  ) AS due
  WHERE t.tenant_id IS NOT NULL
  LIMIT least(greatest(max, 0), 100);
END;

-- Retention: one bounded batch of runs that ended before an instant, and of uploads that nobody finished until then.
CREATE FUNCTION purge_source_runs(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM {{schema}}.source_runs AS doomed
    USING (
      SELECT r.tenant_id, r.id FROM {{schema}}.source_runs AS r
      WHERE r.finished_at < before OR (r.status = 'preparing' AND r.created_at < before) LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION source_runs_due(timestamptz, timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION data_sources_due(timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION purge_source_runs(timestamptz, integer) OWNER TO {{schema}}_relay;
