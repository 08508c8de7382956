-- What the jobs of the events do across tenants: finding what is due, and retention. They get ids only and read everything
-- else under the policies of the tenant.
GRANT SELECT, UPDATE, DELETE ON event_erasures TO {{schema}}_relay;
GRANT SELECT, DELETE ON rollup_15m, rollup_day, unique_sketches TO {{schema}}_relay;
GRANT SELECT ON tenant_data TO {{schema}}_relay;
CREATE POLICY event_jobs ON event_erasures TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY event_jobs ON rollup_15m TO {{schema}}_relay USING (true);
CREATE POLICY event_jobs ON rollup_day TO {{schema}}_relay USING (true);
CREATE POLICY event_jobs ON unique_sketches TO {{schema}}_relay USING (true);
CREATE POLICY event_jobs ON tenant_data FOR SELECT TO {{schema}}_relay USING (true);

-- Takes one order to erase that is due. It comes up again at `lease` unless somebody reports on it.
CREATE FUNCTION event_erasure_due(now timestamptz, lease timestamptz) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH taken AS (
    SELECT e.tenant_id, e.id FROM {{schema}}.event_erasures AS e
    WHERE e.status <> 'succeeded' AND e.due_at <= now
    ORDER BY e.due_at LIMIT 1 FOR UPDATE SKIP LOCKED
  )
  UPDATE {{schema}}.event_erasures AS e SET status = 'running', due_at = lease
  FROM taken WHERE e.tenant_id = taken.tenant_id AND e.id = taken.id
  RETURNING e.tenant_id, e.id;
END;

-- A tenant behind `after` for which a zone's days are still to be built.
CREATE FUNCTION zones_due(after uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT d.tenant_id FROM {{schema}}.tenant_data AS d
  WHERE d.tenant_id > after AND d.wanted_zones <> '{}' ORDER BY d.tenant_id LIMIT 1;
END;

-- The tenant behind `after`, or the first one, whose counts are compared with its events next.
CREATE FUNCTION next_tenant(after uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT d.tenant_id FROM {{schema}}.tenant_data AS d ORDER BY d.tenant_id <= after, d.tenant_id LIMIT 1;
END;

-- Retention: one bounded batch each of the counts by 15 minutes from before one day, and of the counts and sketches by day
-- and of done orders from before others. Answers the largest number deleted.
CREATE FUNCTION purge_rollups(quarters_before timestamptz, days_before date, orders_before timestamptz, batch integer)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH quarters AS (
    DELETE FROM {{schema}}.rollup_15m
    WHERE ctid = ANY (ARRAY(SELECT r.ctid FROM {{schema}}.rollup_15m AS r WHERE r.bucket < quarters_before LIMIT batch))
    RETURNING 1
  ), days AS (
    DELETE FROM {{schema}}.rollup_day
    WHERE ctid = ANY (ARRAY(SELECT r.ctid FROM {{schema}}.rollup_day AS r WHERE r.day < days_before LIMIT batch))
    RETURNING 1
  ), sketches AS (
    DELETE FROM {{schema}}.unique_sketches
    WHERE ctid = ANY (ARRAY(SELECT s.ctid FROM {{schema}}.unique_sketches AS s WHERE s.day < days_before LIMIT batch))
    RETURNING 1
  ), orders AS (
    DELETE FROM {{schema}}.event_erasures
    WHERE ctid = ANY (ARRAY(SELECT e.ctid FROM {{schema}}.event_erasures AS e WHERE e.finished_at < orders_before LIMIT batch))
    RETURNING 1
  )
  SELECT greatest((SELECT count(*) FROM quarters), (SELECT count(*) FROM days), (SELECT count(*) FROM sketches),
                  (SELECT count(*) FROM orders));
END;

ALTER FUNCTION event_erasure_due(timestamptz, timestamptz) OWNER TO {{schema}}_relay;
ALTER FUNCTION zones_due(uuid) OWNER TO {{schema}}_relay;
ALTER FUNCTION next_tenant(uuid) OWNER TO {{schema}}_relay;
ALTER FUNCTION purge_rollups(timestamptz, date, timestamptz, integer) OWNER TO {{schema}}_relay;
