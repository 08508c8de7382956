-- Alerts: a number, a rule for it, and how it stands. Each piece of time is judged once, when it is over and its numbers
-- are complete.
CREATE TABLE alerts (
  tenant_id        uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id               uuid        NOT NULL,
  name             text        NOT NULL,
  definition       jsonb       NOT NULL,
  enabled          boolean     NOT NULL,
  state            text        NOT NULL DEFAULT 'ok',
  state_since      timestamptz NOT NULL,
  -- How many pieces of time in a row broke the rule, and whether somebody was told of it.
  streak           integer     NOT NULL DEFAULT 0,
  told             boolean     NOT NULL DEFAULT false,
  told_at          timestamptz,
  -- The last piece of time that was judged, and what was found.
  last_bucket      text,
  last_finding     jsonb,
  error            jsonb,
  checked_at       timestamptz,
  next_check_at    timestamptz NOT NULL,
  created_by       uuid        NOT NULL,
  created_at       timestamptz NOT NULL,
  updated_at       timestamptz NOT NULL,
  version          bigint      NOT NULL DEFAULT 1,
  CONSTRAINT alerts_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT alerts_state_check CHECK (state IN ('ok', 'pending', 'firing', 'resolved'))
);
CREATE INDEX alerts_due_idx ON alerts (tenant_id, next_check_at) WHERE enabled;

ALTER TABLE alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE alerts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON alerts
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

GRANT SELECT, UPDATE ON alerts TO {{schema}}_relay;
CREATE POLICY alert_functions ON alerts TO {{schema}}_relay USING (true) WITH CHECK (true);

-- Takes alerts that are due, of all tenants; they come up again at `lease` unless their check says when.
CREATE FUNCTION alerts_due(now timestamptz, lease timestamptz, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH taken AS (
    SELECT a.tenant_id, a.id FROM {{schema}}.alerts AS a
    WHERE a.enabled AND a.next_check_at <= now
    ORDER BY a.next_check_at LIMIT least(greatest(max, 0), 100)
    FOR UPDATE OF a SKIP LOCKED
  )
  UPDATE {{schema}}.alerts AS a SET next_check_at = lease
  FROM taken WHERE a.tenant_id = taken.tenant_id AND a.id = taken.id
  RETURNING a.tenant_id, a.id;
END;
ALTER FUNCTION alerts_due(timestamptz, timestamptz, integer) OWNER TO {{schema}}_relay;
