-- The feed: events of all tenants after a position, oldest first. Only those of transactions before which nothing is
-- still open, so that a later call never finds an event at an earlier position.
GRANT SELECT ON events TO {{schema}}_relay;
CREATE POLICY feed ON events FOR SELECT TO {{schema}}_relay USING (true);

CREATE FUNCTION events_after(after_tx xid8, after_seq bigint, max integer)
RETURNS TABLE (
  tenant_id uuid, id uuid, seq bigint, txid xid8, kind text, at timestamptz, actor uuid, data jsonb, traceparent text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT e.tenant_id, e.id, e.seq, e.txid, e.kind, e.at, e.actor, e.data, e.traceparent
  FROM events AS e
  WHERE (e.txid, e.seq) > (after_tx, after_seq)
    AND e.txid < pg_snapshot_xmin(pg_current_snapshot())
  ORDER BY e.txid, e.seq
  LIMIT least(greatest(max, 0), 1000);
END;

ALTER FUNCTION events_after(xid8, bigint, integer) OWNER TO {{schema}}_relay;
