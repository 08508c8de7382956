-- What automations do across tenants: turning events into runs, finding what is due, retention.

-- How far the outbox was read. One row.
CREATE TABLE automation_cursor (
  id   smallint NOT NULL DEFAULT 1,
  txid xid8     NOT NULL DEFAULT '0',
  seq  bigint   NOT NULL DEFAULT 0,
  CONSTRAINT automation_cursor_pkey PRIMARY KEY (id),
  CONSTRAINT automation_cursor_one_check CHECK (id = 1)
);
INSERT INTO automation_cursor DEFAULT VALUES;
REVOKE ALL ON automation_cursor FROM {{schema}}_api;
GRANT SELECT, UPDATE ON automation_cursor TO {{schema}}_relay;

GRANT SELECT ON automations TO {{schema}}_relay;
GRANT SELECT, INSERT, UPDATE, DELETE ON automation_runs TO {{schema}}_relay;
GRANT SELECT, DELETE ON automation_effects TO {{schema}}_relay;
CREATE POLICY running ON automations FOR SELECT TO {{schema}}_relay USING (true);
CREATE POLICY running ON automation_runs TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY running ON automation_effects TO {{schema}}_relay USING (true) WITH CHECK (true);

-- Makes runs of the next events in the feed's order, and moves the cursor, in one transaction. An automation is not started
-- by its own changes; a chain that is too long is written down and not followed. Answers how many events were read; null
-- when somebody else is at it.
CREATE FUNCTION automations_fan_out(now timestamptz, max integer, deepest integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  read  bigint;
  place record;
BEGIN
  IF NOT EXISTS (
    SELECT FROM {{schema}}.automation_cursor AS c JOIN {{schema}}.events AS e ON (e.txid, e.seq) > (c.txid, c.seq)
    WHERE e.txid < pg_snapshot_xmin(pg_current_snapshot()))
  THEN
    RETURN 0;
  END IF;
  SELECT c.txid, c.seq INTO place FROM {{schema}}.automation_cursor AS c FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  WITH events AS MATERIALIZED (
    SELECT e.* FROM {{schema}}.events AS e
    WHERE (e.txid, e.seq) > (place.txid, place.seq) AND e.txid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY e.txid, e.seq
    LIMIT least(greatest(max, 0), 1000)
  ), made AS (
    INSERT INTO {{schema}}.automation_runs
      (tenant_id, id, automation_id, event_id, kind, record_id, depth, status, due_at, error, created_at, finished_at)
    SELECT e.tenant_id,
           encode(substring(uuid_send(e.id) FROM 1 FOR 8) || substring(uuid_send(gen_random_uuid()) FROM 9 FOR 8), 'hex')::uuid,
           a.id, e.id, e.kind, (e.data ->> 'id')::uuid, coalesce(f.depth, 0),
           CASE WHEN coalesce(f.depth, 0) < deepest THEN 'pending' ELSE 'skipped' END,
           CASE WHEN coalesce(f.depth, 0) < deepest THEN now END,
           CASE WHEN coalesce(f.depth, 0) >= deepest THEN 'too_deep' END,
           now, CASE WHEN coalesce(f.depth, 0) >= deepest THEN now END
    FROM events AS e
    JOIN {{schema}}.automations AS a ON a.tenant_id = e.tenant_id
    LEFT JOIN {{schema}}.automation_effects AS f ON f.tenant_id = e.tenant_id AND f.event_id = e.id
    WHERE a.enabled AND e.kind = ANY (a.kinds) AND e.data ->> 'id' IS NOT NULL
      AND a.id IS DISTINCT FROM f.automation_id
      AND (a.changed_fields = '{}'
           OR a.changed_fields && ARRAY(SELECT jsonb_array_elements_text(coalesce(e.data -> 'changed', '[]'))))
    ON CONFLICT DO NOTHING
  ), last AS (
    SELECT e.txid, e.seq FROM events AS e ORDER BY e.txid DESC, e.seq DESC LIMIT 1
  ), moved AS (
    UPDATE {{schema}}.automation_cursor AS c SET txid = last.txid, seq = last.seq FROM last
  )
  SELECT count(*) INTO read FROM events;
  RETURN read;
END $$;

-- Takes runs that are due, the oldest of each tenant first. They come up again at `lease` unless somebody ends them.
CREATE FUNCTION automation_runs_due(now timestamptz, lease timestamptz, each integer, max integer)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE tenants AS (
    (SELECT r.tenant_id FROM {{schema}}.automation_runs AS r WHERE r.status = 'pending' ORDER BY r.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT r.tenant_id FROM {{schema}}.automation_runs AS r
            WHERE r.status = 'pending' AND r.tenant_id > t.tenant_id ORDER BY r.tenant_id LIMIT 1)
    FROM tenants AS t WHERE t.tenant_id IS NOT NULL
  ), first AS (
    SELECT t.tenant_id, due.id
    FROM tenants AS t
    CROSS JOIN LATERAL (
      SELECT r.id FROM {{schema}}.automation_runs AS r
      WHERE r.tenant_id = t.tenant_id AND r.status = 'pending' AND r.due_at <= now
      ORDER BY r.due_at, r.id LIMIT least(greatest(each, 0), 100)
    ) AS due
    WHERE t.tenant_id IS NOT NULL
    LIMIT least(greatest(max, 0), 1000)
  ), taken AS (
    SELECT r.tenant_id, r.id FROM {{schema}}.automation_runs AS r
    JOIN first ON first.tenant_id = r.tenant_id AND first.id = r.id
    WHERE r.status = 'pending' AND r.due_at <= now
    FOR UPDATE OF r SKIP LOCKED
  ), leased AS (
    UPDATE {{schema}}.automation_runs AS r SET due_at = lease, attempts = r.attempts + 1
    FROM taken WHERE r.tenant_id = taken.tenant_id AND r.id = taken.id
    RETURNING r.tenant_id, r.id
  )
  SELECT l.tenant_id, l.id FROM leased AS l ORDER BY l.tenant_id, l.id;
END;

-- Retention: one bounded batch of runs that ended before an instant, and of effects from before it.
CREATE FUNCTION purge_automation_runs(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM {{schema}}.automation_runs AS doomed
    USING (
      SELECT r.tenant_id, r.id FROM {{schema}}.automation_runs AS r
      WHERE r.status <> 'pending' AND r.finished_at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  ), effects AS (
    DELETE FROM {{schema}}.automation_effects AS doomed
    USING (
      SELECT f.tenant_id, f.event_id FROM {{schema}}.automation_effects AS f WHERE f.at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.event_id = old.event_id
    RETURNING 1
  )
  SELECT greatest((SELECT count(*) FROM gone), (SELECT count(*) FROM effects));
END;

ALTER FUNCTION automations_fan_out(timestamptz, integer, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION automation_runs_due(timestamptz, timestamptz, integer, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION purge_automation_runs(timestamptz, integer) OWNER TO {{schema}}_relay;
