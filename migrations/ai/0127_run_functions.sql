-- What runs do across tenants: finding what is due, leases, and retention.
GRANT SELECT, UPDATE, DELETE ON runs TO {{schema}}_relay;
GRANT SELECT, INSERT, UPDATE, DELETE ON run_leases TO {{schema}}_relay;
GRANT SELECT ON schedules TO {{schema}}_relay;
CREATE POLICY run_functions ON runs TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY run_functions ON run_leases TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY run_functions ON schedules FOR SELECT TO {{schema}}_relay USING (true);

-- Takes at most `max` runs that are due, or whose worker has lost its lease, until `lease`. Fair between tenants: each has its
-- next turn after as many of its runs as are being worked on; within a tenant whoever waits longest is first.
CREATE FUNCTION runs_claim(now timestamptz, lease timestamptz, worker uuid, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE tenants AS (
    (SELECT r.tenant_id FROM {{schema}}.runs AS r
     WHERE r.status IN ('queued', 'waiting_retry', 'running') ORDER BY r.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.tenant_id FROM {{schema}}.runs AS r
            WHERE r.status IN ('queued', 'waiting_retry', 'running') AND r.tenant_id > t.tenant_id ORDER BY r.tenant_id LIMIT 1)
    FROM tenants AS t WHERE t.tenant_id IS NOT NULL
  ), waiting AS (
    SELECT t.tenant_id, due.id, due.due_at, due.attempt,
           (SELECT count(*) FROM {{schema}}.run_leases AS l WHERE l.tenant_id = t.tenant_id AND l.until >= now)
             + row_number() OVER (PARTITION BY t.tenant_id ORDER BY due.due_at, due.id) AS turn
    FROM tenants AS t
    CROSS JOIN LATERAL (
      SELECT r.id, r.due_at, r.attempt FROM {{schema}}.runs AS r
      WHERE r.tenant_id = t.tenant_id AND r.status IN ('queued', 'waiting_retry', 'running') AND r.due_at <= now
        AND (r.status <> 'running' OR NOT EXISTS (
          SELECT FROM {{schema}}.run_leases AS l WHERE l.tenant_id = r.tenant_id AND l.run_id = r.id AND l.until >= now))
      ORDER BY r.due_at, r.id LIMIT least(greatest(max, 0), 100)
    ) AS due
    WHERE t.tenant_id IS NOT NULL
  ), first AS (
    SELECT w.tenant_id, w.id, w.attempt FROM waiting AS w
    ORDER BY w.turn, w.due_at LIMIT least(greatest(max, 0), 100)
  ), taken AS (
    SELECT r.tenant_id, r.id FROM {{schema}}.runs AS r
    JOIN first ON first.tenant_id = r.tenant_id AND first.id = r.id
    -- Looked at again under the lock: another worker may have taken it since.
    WHERE r.status IN ('queued', 'waiting_retry', 'running') AND r.attempt = first.attempt
    FOR UPDATE OF r SKIP LOCKED
  ), claimed AS (
    UPDATE {{schema}}.runs AS r
    SET status = 'running', attempt = r.attempt + 1, started_at = coalesce(r.started_at, now)
    FROM taken WHERE r.tenant_id = taken.tenant_id AND r.id = taken.id
    RETURNING r.tenant_id, r.id
  ), leased AS (
    INSERT INTO {{schema}}.run_leases AS l (tenant_id, run_id, worker, until)
    SELECT c.tenant_id, c.id, runs_claim.worker, runs_claim.lease FROM claimed AS c
    ON CONFLICT (tenant_id, run_id) DO UPDATE SET worker = excluded.worker, until = excluded.until
  )
  SELECT c.tenant_id, c.id FROM claimed AS c;
END;

-- A worker's heartbeat: its leases of the runs that it is at last until `lease`. Answers those that it still has.
CREATE FUNCTION run_leases_renew(worker uuid, runs uuid[], lease timestamptz) RETURNS SETOF uuid
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE {{schema}}.run_leases AS l SET until = run_leases_renew.lease
  WHERE l.worker = run_leases_renew.worker AND l.run_id = ANY (run_leases_renew.runs) RETURNING l.run_id;
END;

-- The runs of a worker that somebody wants to end.
CREATE FUNCTION runs_to_cancel(worker uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.id FROM {{schema}}.run_leases AS l
  JOIN {{schema}}.runs AS r ON r.tenant_id = l.tenant_id AND r.id = l.run_id
  WHERE l.worker = runs_to_cancel.worker AND r.cancel_requested_at IS NOT NULL;
END;

-- How many runs there are in each open state, and since when the oldest waits; for the health of the installation.
CREATE FUNCTION runs_open() RETURNS TABLE (status text, runs bigint, oldest timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT r.status, count(*), min(r.due_at) FROM {{schema}}.runs AS r
  WHERE r.status IN ('queued', 'waiting_retry', 'running') GROUP BY r.status;
END;

-- Schedules whose time has come. It takes none: that is done in the tenant's transaction that makes the run.
CREATE FUNCTION schedules_due(now timestamptz, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT s.tenant_id, s.id FROM {{schema}}.schedules AS s
  WHERE s.enabled AND s.next_run_at <= now ORDER BY s.next_run_at LIMIT least(greatest(max, 0), 100);
END;

-- Retention: one bounded batch of runs that ended before an instant, with their steps and events.
CREATE FUNCTION purge_runs(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM {{schema}}.runs AS doomed
    USING (
      SELECT r.tenant_id, r.id FROM {{schema}}.runs AS r WHERE r.finished_at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION runs_claim(timestamptz, timestamptz, uuid, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION run_leases_renew(uuid, uuid[], timestamptz) OWNER TO {{schema}}_relay;
ALTER FUNCTION runs_to_cancel(uuid) OWNER TO {{schema}}_relay;
ALTER FUNCTION runs_open() OWNER TO {{schema}}_relay;
ALTER FUNCTION schedules_due(timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION purge_runs(timestamptz, integer) OWNER TO {{schema}}_relay;
