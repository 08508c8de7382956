-- The workers look for what is due in all tenants. They get ids only, each held by a lease, and read everything else
-- under the policies of its tenant.
GRANT SELECT, UPDATE ON scoring_trainings, scoring_work TO {{schema}}_relay;
CREATE POLICY due ON scoring_trainings TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY due ON scoring_work TO {{schema}}_relay USING (true) WITH CHECK (true);

CREATE FUNCTION scoring_trainings_due(now timestamptz, lease timestamptz, max integer)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH taken AS (
    SELECT t.tenant_id, t.id FROM {{schema}}.scoring_trainings AS t
    WHERE t.status = 'queued' OR (t.status = 'running' AND t.lease_until <= now)
    ORDER BY t.created_at LIMIT least(greatest(max, 0), 100)
    FOR UPDATE SKIP LOCKED
  )
  UPDATE {{schema}}.scoring_trainings AS t
  SET status = 'running', lease_until = lease, attempts = t.attempts + 1, started_at = coalesce(t.started_at, now)
  FROM taken WHERE t.tenant_id = taken.tenant_id AND t.id = taken.id
  RETURNING t.tenant_id, t.id;
END;

ALTER FUNCTION scoring_trainings_due(timestamptz, timestamptz, integer) OWNER TO {{schema}}_relay;

CREATE FUNCTION scoring_work_due(now timestamptz, lease timestamptz, max integer)
RETURNS TABLE (tenant_id uuid, kind text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH taken AS (
    SELECT w.tenant_id, w.kind FROM {{schema}}.scoring_work AS w
    WHERE w.due_at <= now
    ORDER BY w.due_at LIMIT least(greatest(max, 0), 100)
    FOR UPDATE SKIP LOCKED
  )
  UPDATE {{schema}}.scoring_work AS w SET due_at = lease
  FROM taken WHERE w.tenant_id = taken.tenant_id AND w.kind = taken.kind
  RETURNING w.tenant_id, w.kind;
END;

ALTER FUNCTION scoring_work_due(timestamptz, timestamptz, integer) OWNER TO {{schema}}_relay;
