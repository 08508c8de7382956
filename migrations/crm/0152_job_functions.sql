-- What jobs do across tenants: finding what is due, and retention.
GRANT SELECT, UPDATE, DELETE ON jobs TO {{schema}}_relay;
GRANT SELECT, DELETE ON import_pieces, import_errors, import_records, import_keys TO {{schema}}_relay;
CREATE POLICY job_functions ON jobs TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY job_functions ON import_pieces TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY job_functions ON import_errors TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY job_functions ON import_records TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY job_functions ON import_keys TO {{schema}}_relay USING (true) WITH CHECK (true);

-- Takes at most `max` jobs that are due, one of a tenant, none of a tenant of which one is being worked on. They come up
-- again at `lease` unless somebody reports on them. Whoever waits longest is first.
CREATE FUNCTION jobs_due(now timestamptz, lease timestamptz, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE tenants AS (
    (SELECT j.tenant_id FROM {{schema}}.jobs AS j WHERE j.status IN ('queued', 'running') ORDER BY j.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT j.tenant_id FROM {{schema}}.jobs AS j
            WHERE j.status IN ('queued', 'running') AND j.tenant_id > t.tenant_id ORDER BY j.tenant_id LIMIT 1)
    FROM tenants AS t WHERE t.tenant_id IS NOT NULL
  ), first AS (
    SELECT t.tenant_id, due.id, due.due_at
    FROM tenants AS t
    CROSS JOIN LATERAL (
      SELECT j.id, j.due_at FROM {{schema}}.jobs AS j
      WHERE j.tenant_id = t.tenant_id AND j.status IN ('queued', 'running') AND j.due_at <= now
      ORDER BY j.due_at LIMIT 1
    ) AS due
    WHERE t.tenant_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM {{schema}}.jobs AS j WHERE j.tenant_id = t.tenant_id AND j.status = 'running' AND j.due_at > now)
    ORDER BY due.due_at
    LIMIT least(greatest(max, 0), 100)
  ), taken AS (
    SELECT j.tenant_id, j.id FROM {{schema}}.jobs AS j
    JOIN first ON first.tenant_id = j.tenant_id AND first.id = j.id
    -- Looked at again under the lock: another replica may have taken it since.
    WHERE j.status IN ('queued', 'running') AND j.due_at <= now
    FOR UPDATE OF j SKIP LOCKED
  )
  UPDATE {{schema}}.jobs AS j
  SET status = 'running', due_at = lease, claims = j.claims + 1, attempts = j.attempts + 1,
      started_at = coalesce(j.started_at, now), updated_at = now, version = j.version + 1
  FROM taken WHERE j.tenant_id = taken.tenant_id AND j.id = taken.id
  RETURNING j.tenant_id, j.id;
END;

-- Retention: one bounded batch each of what imports that ended before `undo_before` wrote, of the failed rows of jobs that
-- ended before `before`, of these jobs, and of uploads that nobody finished. Answers the largest number deleted.
CREATE FUNCTION purge_jobs(before timestamptz, undo_before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH records AS (
    DELETE FROM {{schema}}.import_records AS doomed
    USING (
      SELECT r.tenant_id, r.import_id, r.record_id FROM {{schema}}.jobs AS j
      JOIN {{schema}}.import_records AS r ON r.tenant_id = j.tenant_id AND r.import_id = j.id
      WHERE j.finished_at < undo_before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.import_id = old.import_id AND doomed.record_id = old.record_id
    RETURNING 1
  ), keys AS (
    DELETE FROM {{schema}}.import_keys AS doomed
    USING (
      SELECT k.tenant_id, k.import_id, k.key FROM {{schema}}.jobs AS j
      JOIN {{schema}}.import_keys AS k ON k.tenant_id = j.tenant_id AND k.import_id = j.id
      WHERE j.finished_at < undo_before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.import_id = old.import_id AND doomed.key = old.key
    RETURNING 1
  ), errors AS (
    DELETE FROM {{schema}}.import_errors AS doomed
    USING (
      SELECT e.tenant_id, e.import_id, e.row_number FROM {{schema}}.jobs AS j
      JOIN {{schema}}.import_errors AS e ON e.tenant_id = j.tenant_id AND e.import_id = j.id
      WHERE j.finished_at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.import_id = old.import_id AND doomed.row_number = old.row_number
    RETURNING 1
  ), gone AS (
    DELETE FROM {{schema}}.jobs AS doomed
    USING (
      SELECT j.tenant_id, j.id FROM {{schema}}.jobs AS j
      WHERE (j.finished_at < before OR (j.status = 'preparing' AND j.updated_at < undo_before))
        AND NOT EXISTS (SELECT FROM {{schema}}.import_errors AS e WHERE e.tenant_id = j.tenant_id AND e.import_id = j.id)
        AND NOT EXISTS (SELECT FROM {{schema}}.import_records AS r WHERE r.tenant_id = j.tenant_id AND r.import_id = j.id)
        AND NOT EXISTS (SELECT FROM {{schema}}.import_keys AS k WHERE k.tenant_id = j.tenant_id AND k.import_id = j.id)
      LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT greatest((SELECT count(*) FROM records), (SELECT count(*) FROM keys), (SELECT count(*) FROM errors),
                  (SELECT count(*) FROM gone));
END;

ALTER FUNCTION jobs_due(timestamptz, timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION purge_jobs(timestamptz, timestamptz, integer) OWNER TO {{schema}}_relay;
