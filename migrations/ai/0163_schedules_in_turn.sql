-- Schedules whose time has come, a tenant's first one before any tenant's second, so that nobody's keep another tenant's from
-- running. One that waits for its run before is not among them until that run is over.
CREATE OR REPLACE FUNCTION schedules_due(now timestamptz, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT due.tenant_id, due.id FROM (
    SELECT s.tenant_id, s.id, s.next_run_at, row_number() OVER (PARTITION BY s.tenant_id ORDER BY s.next_run_at, s.id) AS turn
    FROM {{schema}}.schedules AS s
    WHERE s.enabled AND s.next_run_at <= now AND NOT (s.overlap = 'queue' AND EXISTS (
      SELECT FROM {{schema}}.runs AS r WHERE r.tenant_id = s.tenant_id AND r.id = s.last_run_id AND r.finished_at IS NULL))
  ) AS due
  ORDER BY due.turn, due.next_run_at LIMIT least(greatest(max, 0), 100);
END;
