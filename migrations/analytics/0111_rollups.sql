-- Counts and sums of events, grown in the statement that inserts the events: by 15 minutes, which are exact for every time
-- zone there is, and by local day of the zones in tenant_data. dim '' is no dimension; else value is what the event has
-- there. Both can be made again from tracked_events.
DROP TABLE rollup_15m;
CREATE TABLE rollup_15m (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  dim           text        NOT NULL,
  name          text        NOT NULL,
  bucket        timestamptz NOT NULL,
  value         text        NOT NULL,
  currency      text        NOT NULL,
  cnt           bigint      NOT NULL,
  amount_minor  bigint      NOT NULL,
  CONSTRAINT rollup_15m_pkey PRIMARY KEY (tenant_id, dim, name, bucket, value, currency)
) WITH (fillfactor = 80);

ALTER TABLE rollup_15m ENABLE ROW LEVEL SECURITY;
ALTER TABLE rollup_15m FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON rollup_15m
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE TABLE rollup_day (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  zone          text        NOT NULL,
  dim           text        NOT NULL,
  name          text        NOT NULL,
  day           date        NOT NULL,
  value         text        NOT NULL,
  currency      text        NOT NULL,
  cnt           bigint      NOT NULL,
  amount_minor  bigint      NOT NULL,
  CONSTRAINT rollup_day_pkey PRIMARY KEY (tenant_id, zone, dim, name, day, value, currency)
) WITH (fillfactor = 80);

ALTER TABLE rollup_day ENABLE ROW LEVEL SECURITY;
ALTER TABLE rollup_day FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON rollup_day
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- What is there already, of all tenants, for which the owner gets a way in that ends with this file.
CREATE POLICY backfill ON tracked_events FOR SELECT TO {{schema}}_owner USING (true);
CREATE POLICY backfill ON tenant_data TO {{schema}}_owner USING (true) WITH CHECK (true);
CREATE POLICY backfill ON rollup_15m TO {{schema}}_owner USING (true) WITH CHECK (true);
CREATE POLICY backfill ON rollup_day TO {{schema}}_owner USING (true) WITH CHECK (true);
INSERT INTO tenant_data (tenant_id, version) SELECT DISTINCT tenant_id, 1 FROM tracked_events;
INSERT INTO rollup_15m SELECT tenant_id, '', name, date_bin('15 minutes', ts, '2000-01-01T00:00:00Z'), '', coalesce(currency, ''),
                              count(*), coalesce(sum(value_minor), 0)
  FROM tracked_events GROUP BY 1, 3, 4, 6;
INSERT INTO rollup_day SELECT tenant_id, 'UTC', '', name, (bucket AT TIME ZONE 'UTC')::date, '', currency, sum(cnt), sum(amount_minor)
  FROM rollup_15m GROUP BY 1, 4, 5, 7;
DROP POLICY backfill ON tracked_events;
DROP POLICY backfill ON tenant_data;
DROP POLICY backfill ON rollup_15m;
DROP POLICY backfill ON rollup_day;
