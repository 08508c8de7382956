-- What the delivery of webhooks does across tenants: turning events into deliveries, finding what is due, retention.

-- How far the outbox was read, behind the last event that became deliveries. One row.
CREATE TABLE webhook_cursor (
  id   smallint NOT NULL DEFAULT 1,
  txid xid8     NOT NULL DEFAULT '0',
  seq  bigint   NOT NULL DEFAULT 0,
  CONSTRAINT webhook_cursor_pkey PRIMARY KEY (id),
  CONSTRAINT webhook_cursor_one_check CHECK (id = 1)
);
INSERT INTO webhook_cursor DEFAULT VALUES;
REVOKE ALL ON webhook_cursor FROM {{schema}}_api;
GRANT SELECT, UPDATE ON webhook_cursor TO {{schema}}_relay;

GRANT SELECT ON webhooks TO {{schema}}_relay;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_deliveries TO {{schema}}_relay;
CREATE POLICY delivery ON webhooks FOR SELECT TO {{schema}}_relay USING (true);
CREATE POLICY delivery ON webhook_deliveries TO {{schema}}_relay USING (true) WITH CHECK (true);

-- Makes deliveries of the next events in the feed's order, and moves the cursor, in one transaction: an event is read
-- again until its deliveries are stored, and none is passed over. Answers how many events were read; null when somebody
-- else is at it.
CREATE FUNCTION webhooks_fan_out(now timestamptz, max integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  read  bigint;
  place record;
BEGIN
  -- Without a lock, which would write: mostly there is nothing.
  IF NOT EXISTS (
    SELECT FROM {{schema}}.webhook_cursor AS c JOIN {{schema}}.events AS e ON (e.txid, e.seq) > (c.txid, c.seq)
    WHERE e.txid < pg_snapshot_xmin(pg_current_snapshot()))
  THEN
    RETURN 0;
  END IF;
  SELECT c.txid, c.seq INTO place FROM {{schema}}.webhook_cursor AS c FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  WITH events AS MATERIALIZED (
    SELECT e.* FROM {{schema}}.events AS e
    WHERE (e.txid, e.seq) > (place.txid, place.seq) AND e.txid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY e.txid, e.seq
    LIMIT least(greatest(max, 0), 1000)
  ), made AS (
    INSERT INTO {{schema}}.webhook_deliveries
      (tenant_id, id, webhook_id, event_id, kind, event_at, data, status, next_attempt_at, created_at)
    -- The time of the event's id and 62 random bits: a time-ordered id (UUIDv7) again.
    SELECT w.tenant_id,
           encode(substring(uuid_send(e.id) FROM 1 FOR 8) || substring(uuid_send(gen_random_uuid()) FROM 9 FOR 8), 'hex')::uuid,
           -- By the number of its event a receiver puts the messages about one record in order.
           w.id, e.id, e.kind, e.at, e.data || jsonb_build_object('sequence', e.seq), 'pending', now, now
    FROM events AS e
    JOIN {{schema}}.webhooks AS w ON w.tenant_id = e.tenant_id
    WHERE w.enabled AND w.kinds && ARRAY[e.kind, split_part(e.kind, '.', 1) || '.*', '*']
    ON CONFLICT DO NOTHING
  ), last AS (
    SELECT e.txid, e.seq FROM events AS e ORDER BY e.txid DESC, e.seq DESC LIMIT 1
  ), moved AS (
    UPDATE {{schema}}.webhook_cursor AS c SET txid = last.txid, seq = last.seq FROM last
  )
  SELECT count(*) INTO read FROM events;
  RETURN read;
END $$;

-- Takes deliveries that are due: at most `each` of a tenant and `max` in all, none of the tenants in `busy`. They come up
-- again at `lease` unless somebody reports on them. Tenants with many take turns with those that have few.
CREATE FUNCTION webhooks_due(now timestamptz, lease timestamptz, busy uuid[], each integer, max integer)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE tenants AS (
    (SELECT d.tenant_id FROM {{schema}}.webhook_deliveries AS d WHERE d.status = 'pending' ORDER BY d.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.tenant_id FROM {{schema}}.webhook_deliveries AS d
            WHERE d.status = 'pending' AND d.tenant_id > t.tenant_id ORDER BY d.tenant_id LIMIT 1)
    FROM tenants AS t WHERE t.tenant_id IS NOT NULL
  ), first AS (
    SELECT t.tenant_id, due.id, due.turn
    FROM tenants AS t
    CROSS JOIN LATERAL (
      SELECT o.id, row_number() OVER () AS turn
      FROM (SELECT d.id FROM {{schema}}.webhook_deliveries AS d
            WHERE d.tenant_id = t.tenant_id AND d.status = 'pending' AND d.next_attempt_at <= now
            ORDER BY d.next_attempt_at LIMIT least(greatest(each, 0), 100)) AS o
    ) AS due
    WHERE t.tenant_id IS NOT NULL AND t.tenant_id <> ALL (busy)
    ORDER BY due.turn, random()
    LIMIT least(greatest(max, 0), 1000)
  ), taken AS (
    SELECT d.tenant_id, d.id FROM {{schema}}.webhook_deliveries AS d
    JOIN first ON first.tenant_id = d.tenant_id AND first.id = d.id
    -- Looked at again under the lock: another replica may have taken it since.
    WHERE d.status = 'pending' AND d.next_attempt_at <= now
    FOR UPDATE OF d SKIP LOCKED
  )
  UPDATE {{schema}}.webhook_deliveries AS d
  SET next_attempt_at = lease, attempts = d.attempts + 1, last_attempt_at = now
  FROM taken WHERE d.tenant_id = taken.tenant_id AND d.id = taken.id
  RETURNING d.tenant_id, d.id;
END;

-- Retention: one bounded batch of deliveries that ended before an instant.
CREATE FUNCTION purge_webhook_deliveries(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM {{schema}}.webhook_deliveries AS doomed
    USING (
      SELECT d.tenant_id, d.id FROM {{schema}}.webhook_deliveries AS d
      WHERE d.status <> 'pending' AND d.finished_at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION webhooks_fan_out(timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION webhooks_due(timestamptz, timestamptz, uuid[], integer, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION purge_webhook_deliveries(timestamptz, integer) OWNER TO {{schema}}_relay;
