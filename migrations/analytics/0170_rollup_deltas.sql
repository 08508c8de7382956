-- What batches add to the counts, one row a batch: a batch of a thousand events has a thousand counts, which are a row each
-- only once a second, when a job adds what came meanwhile to rollup_15m and rollup_day. The views are both together, so
-- what was acknowledged is counted from its commit on.
CREATE TABLE rollup_deltas (
  tenant_id         uuid          NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  -- The version of the tenant's data that the batch made.
  version           bigint        NOT NULL,
  -- For rollup_15m, column by column.
  dims              text[]        NOT NULL,
  names             text[]        NOT NULL,
  buckets           timestamptz[] NOT NULL,
  vals              text[]        NOT NULL,
  currencies        text[]        NOT NULL,
  counts            bigint[]      NOT NULL,
  amounts_minor     bigint[]      NOT NULL,
  -- For rollup_day.
  day_zones         text[]        NOT NULL,
  day_dims          text[]        NOT NULL,
  day_names         text[]        NOT NULL,
  days              date[]        NOT NULL,
  day_vals          text[]        NOT NULL,
  day_currencies    text[]        NOT NULL,
  day_counts        bigint[]      NOT NULL,
  day_amounts_minor bigint[]      NOT NULL,
  CONSTRAINT rollup_deltas_pkey PRIMARY KEY (tenant_id, version)
);

ALTER TABLE rollup_deltas ENABLE ROW LEVEL SECURITY;
ALTER TABLE rollup_deltas FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON rollup_deltas
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE VIEW counts_15m WITH (security_invoker = true) AS
SELECT tenant_id, dim, name, bucket, value, currency, cnt, amount_minor FROM rollup_15m
UNION ALL
SELECT d.tenant_id, c.dim, c.name, c.bucket, c.value, c.currency, c.cnt, c.amount_minor
FROM rollup_deltas AS d
CROSS JOIN LATERAL unnest(d.dims, d.names, d.buckets, d.vals, d.currencies, d.counts, d.amounts_minor)
  AS c (dim, name, bucket, value, currency, cnt, amount_minor);

CREATE VIEW counts_day WITH (security_invoker = true) AS
SELECT tenant_id, zone, dim, name, day, value, currency, cnt, amount_minor FROM rollup_day
UNION ALL
SELECT d.tenant_id, c.zone, c.dim, c.name, c.day, c.value, c.currency, c.cnt, c.amount_minor
FROM rollup_deltas AS d
CROSS JOIN LATERAL unnest(d.day_zones, d.day_dims, d.day_names, d.days, d.day_vals, d.day_currencies, d.day_counts,
                          d.day_amounts_minor)
  AS c (zone, dim, name, day, value, currency, cnt, amount_minor);

-- A tenant behind `after` that has deltas.
CREATE FUNCTION deltas_due(after uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT d.tenant_id FROM {{schema}}.rollup_deltas AS d WHERE d.tenant_id > after ORDER BY d.tenant_id LIMIT 1;
END;
GRANT SELECT ON rollup_deltas TO {{schema}}_relay;
CREATE POLICY event_jobs ON rollup_deltas FOR SELECT TO {{schema}}_relay USING (true);
ALTER FUNCTION deltas_due(uuid) OWNER TO {{schema}}_relay;

-- Logins of tenants' own tools read what the tables hold and what is about to be added to them.
CREATE POLICY reader ON rollup_deltas AS RESTRICTIVE TO {{schema}}_readers USING (tenant_id = (
  SELECT r.tenant_id FROM {{schema}}.reader_roles AS r WHERE r.role_name = current_user));
GRANT SELECT ON rollup_deltas, counts_15m, counts_day TO {{schema}}_readers;
