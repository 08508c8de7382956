-- What reports do across tenants: finding what is due, and retention.
GRANT SELECT, UPDATE, DELETE ON reports TO {{schema}}_relay;
GRANT SELECT, DELETE ON report_files TO {{schema}}_relay;
GRANT SELECT, UPDATE, DELETE ON mails TO {{schema}}_relay;
GRANT SELECT ON report_schedules TO {{schema}}_relay;
CREATE POLICY report_functions ON reports TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY report_functions ON report_files TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY report_functions ON mails TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY report_functions ON report_schedules FOR SELECT TO {{schema}}_relay USING (true);

-- Takes at most `max` reports that are due, one of a tenant, none of a tenant of which one is being worked on. They come
-- up again at `lease` unless somebody reports on them. Whoever waits longest is first.
CREATE FUNCTION reports_due(now timestamptz, lease timestamptz, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE tenants AS (
    (SELECT r.tenant_id FROM {{schema}}.reports AS r WHERE r.status IN ('queued', 'running') ORDER BY r.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.tenant_id FROM {{schema}}.reports AS r
            WHERE r.status IN ('queued', 'running') AND r.tenant_id > t.tenant_id ORDER BY r.tenant_id LIMIT 1)
    FROM tenants AS t WHERE t.tenant_id IS NOT NULL
  ), first AS (
    SELECT t.tenant_id, due.id, due.due_at
    FROM tenants AS t
    CROSS JOIN LATERAL (
      SELECT r.id, r.due_at FROM {{schema}}.reports AS r
      WHERE r.tenant_id = t.tenant_id AND r.status IN ('queued', 'running') AND r.due_at <= now
      ORDER BY r.due_at LIMIT 1
    ) AS due
    WHERE t.tenant_id IS NOT NULL AND NOT EXISTS (
      SELECT FROM {{schema}}.reports AS r WHERE r.tenant_id = t.tenant_id AND r.status = 'running' AND r.due_at > now)
    ORDER BY due.due_at
    LIMIT least(greatest(max, 0), 100)
  ), taken AS (
    SELECT r.tenant_id, r.id FROM {{schema}}.reports AS r
    JOIN first ON first.tenant_id = r.tenant_id AND first.id = r.id
    -- Looked at again under the lock: another replica may have taken it since.
    WHERE r.status IN ('queued', 'running') AND r.due_at <= now
    FOR UPDATE OF r SKIP LOCKED
  )
  UPDATE {{schema}}.reports AS r
  SET status = 'running', due_at = lease, claims = r.claims + 1, attempts = r.attempts + 1,
      started_at = coalesce(r.started_at, now), version = r.version + 1
  FROM taken WHERE r.tenant_id = taken.tenant_id AND r.id = taken.id
  RETURNING r.tenant_id, r.id;
END;

-- Takes mails that are due, until `lease`.
CREATE FUNCTION mails_due(now timestamptz, lease timestamptz, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH taken AS (
    SELECT m.tenant_id, m.id FROM {{schema}}.mails AS m
    WHERE m.status = 'pending' AND m.due_at <= now
    ORDER BY m.due_at LIMIT least(greatest(max, 0), 100)
    FOR UPDATE OF m SKIP LOCKED
  )
  UPDATE {{schema}}.mails AS m SET due_at = lease, attempts = m.attempts + 1
  FROM taken WHERE m.tenant_id = taken.tenant_id AND m.id = taken.id
  RETURNING m.tenant_id, m.id;
END;

-- Schedules whose time has come. It takes none: that is done in the tenant's transaction that orders the report.
CREATE FUNCTION report_schedules_due(now timestamptz, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT s.tenant_id, s.id FROM {{schema}}.report_schedules AS s
  WHERE s.enabled AND s.next_run_at <= now ORDER BY s.next_run_at LIMIT least(greatest(max, 0), 100);
END;

-- Retention: one bounded batch of mails that left, or were given up, before `before`.
CREATE FUNCTION purge_mails(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM {{schema}}.mails AS doomed
    USING (
      SELECT m.tenant_id, m.id FROM {{schema}}.mails AS m WHERE m.status <> 'pending' AND m.finished_at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

-- Retention: one bounded batch of reports whose time is over lose their files and numbers, and one of those that lost them
-- before `before` goes as a whole. Answers the larger number.
CREATE FUNCTION expire_reports(now timestamptz, before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH old AS (
    SELECT r.tenant_id, r.id FROM {{schema}}.reports AS r
    WHERE r.status IN ('succeeded', 'failed') AND r.expires_at <= now LIMIT batch
  ), files AS (
    DELETE FROM {{schema}}.report_files AS f USING old
    WHERE f.tenant_id = old.tenant_id AND f.report_id = old.id
  ), expired AS (
    UPDATE {{schema}}.reports AS r SET status = 'expired', document = NULL, version = r.version + 1
    FROM old WHERE r.tenant_id = old.tenant_id AND r.id = old.id
    RETURNING 1
  ), gone AS (
    DELETE FROM {{schema}}.reports AS doomed
    USING (
      SELECT r.tenant_id, r.id FROM {{schema}}.reports AS r WHERE r.status = 'expired' AND r.expires_at <= before LIMIT batch
    ) AS past
    WHERE doomed.tenant_id = past.tenant_id AND doomed.id = past.id
    RETURNING 1
  )
  SELECT greatest((SELECT count(*) FROM expired), (SELECT count(*) FROM gone));
END;

ALTER FUNCTION reports_due(timestamptz, timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION mails_due(timestamptz, timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION purge_mails(timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION report_schedules_due(timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION expire_reports(timestamptz, timestamptz, integer) OWNER TO {{schema}}_relay;
