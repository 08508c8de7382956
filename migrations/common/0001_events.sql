-- The outbox: what happened, written in the transaction of the change, read by other services in commit order.
-- `txid` and `seq` order it; `seq` alone would not, because transactions do not commit in the order they take numbers.
CREATE TABLE events (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  seq         bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
  txid        xid8        NOT NULL DEFAULT pg_current_xact_id(),
  kind        text        NOT NULL,
  at          timestamptz NOT NULL,
  actor       uuid,
  data        jsonb       NOT NULL,
  traceparent text,
  CONSTRAINT events_pkey PRIMARY KEY (tenant_id, id)
);

-- The feed's order, across tenants.
CREATE INDEX events_order_idx ON events (txid, seq);

ALTER TABLE events ENABLE ROW LEVEL SECURITY;
ALTER TABLE events FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON events
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- What happened does not change.
REVOKE UPDATE, DELETE ON events FROM {{schema}}_api;
