-- Events by month, so that old ones go as a whole and not row by row. What dashboards break down and filter by are columns
-- of their own: operators of JSON are not leakproof, so no index is used with them under the policy. ts is in the key
-- because it says in which partition a row is; the sender keeps it when it sends an event again.
ALTER TABLE tracked_events RENAME TO tracked_events_before;
ALTER TABLE tracked_events_before RENAME CONSTRAINT tracked_events_pkey TO tracked_events_before_pkey;
ALTER TABLE tracked_events_before RENAME CONSTRAINT tracked_events_currency_check TO tracked_events_before_currency_check;
ALTER INDEX tracked_events_ts_idx RENAME TO tracked_events_before_ts_idx;

CREATE TABLE tracked_events (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  event_id    uuid        NOT NULL,
  ts          timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  name        text        NOT NULL,
  actor_id    text,
  session_id  text,
  source      text,
  medium      text,
  campaign    text,
  country     text,
  device      text,
  path        text,
  value_minor bigint,
  currency    text,
  props       jsonb       NOT NULL DEFAULT '{}',
  CONSTRAINT tracked_events_pkey PRIMARY KEY (tenant_id, event_id, ts),
  CONSTRAINT tracked_events_currency_check CHECK ((currency IS NULL) = (value_minor IS NULL))
) PARTITION BY RANGE (ts);

ALTER TABLE tracked_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE tracked_events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tracked_events
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX tracked_events_ts_idx ON tracked_events (tenant_id, ts);

-- Makes the partitions of the months from that of `first` on that are not there yet; answers how many it made. A partition
-- that is read directly is not under its parent's policy, so nobody gets a right on it: the rights that a table is born
-- with are taken away in the transaction that makes it.
CREATE FUNCTION make_event_partitions(first date, months integer) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  month timestamp;
  partition text;
  made integer := 0;
BEGIN
  FOR n IN 0 .. least(months, 48) - 1 LOOP
    month := date_trunc('month', first::timestamp) + make_interval(months => n);
    partition := 'tracked_events_' || to_char(month, 'YYYYMM');
    IF to_regclass('{{schema}}.' || partition) IS NULL THEN
      -- One at a time, and looked at again: other replicas start, too.
      PERFORM pg_advisory_xact_lock(hashtextextended('{{schema}}.make_event_partitions', 0));
      IF to_regclass('{{schema}}.' || partition) IS NULL THEN
        EXECUTE format('CREATE TABLE {{schema}}.%I (LIKE {{schema}}.tracked_events INCLUDING ALL)', partition);
        EXECUTE format('REVOKE ALL ON {{schema}}.%I FROM {{schema}}_api, {{schema}}_relay', partition);
        EXECUTE format('ALTER TABLE {{schema}}.tracked_events ATTACH PARTITION {{schema}}.%I FOR VALUES FROM (%L) TO (%L)',
                       partition, month::text || '+00', (month + interval '1 month')::text || '+00');
        made := made + 1;
      END IF;
    END IF;
  END LOOP;
  RETURN made;
END $$;

-- Drops the partitions of the months that were over at `before`, at most 24 at once; answers how many. However it is
-- called, the last ten months stay.
CREATE FUNCTION drop_event_partitions(before timestamptz) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  partition text;
  dropped integer := 0;
BEGIN
  -- One at a time, and in a statement of its own, so that what follows sees what others have done.
  PERFORM pg_advisory_xact_lock(hashtextextended('{{schema}}.make_event_partitions', 0));
  FOR partition IN
    SELECT c.relname FROM pg_inherits AS i
    JOIN pg_class AS c ON c.oid = i.inhrelid
    WHERE i.inhparent = '{{schema}}.tracked_events'::regclass AND c.relname ~ '^tracked_events_[0-9]{6}$'
      AND (to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month') AT TIME ZONE 'UTC'
          <= least(before, now() - interval '10 months')
    ORDER BY c.relname LIMIT 24
  LOOP
    EXECUTE format('DROP TABLE {{schema}}.%I', partition);
    dropped := dropped + 1;
  END LOOP;
  RETURN dropped;
END $$;

-- What is there already, of all tenants, for which the owner gets a way in that ends with this file.
CREATE POLICY backfill ON tracked_events_before FOR SELECT TO {{schema}}_owner USING (true);
CREATE POLICY backfill ON tracked_events FOR INSERT TO {{schema}}_owner WITH CHECK (true);
SELECT make_event_partitions(d::date, 1)
FROM (SELECT DISTINCT date_trunc('month', ts AT TIME ZONE 'UTC') AS d FROM tracked_events_before) AS months;
-- From the platform's first year on; the service goes on from here, and drops what is old.
SELECT make_event_partitions(first, (12 * extract(year FROM span) + extract(month FROM span))::integer + 4)
FROM (SELECT first, age(now(), first) AS span FROM (VALUES (least((now() - interval '14 months')::date, '2026-01-01'))) AS v (first)) AS s;
INSERT INTO tracked_events (tenant_id, event_id, ts, received_at, name, actor_id, session_id, value_minor, currency, props)
  SELECT tenant_id, event_id, ts, received_at, name, actor_id, session_id, value_minor, currency, props
  FROM tracked_events_before;
DROP POLICY backfill ON tracked_events;
DROP TABLE tracked_events_before;
