-- Reminders that are due, of all tenants. Only what may still be reminded of is in the index.
DROP INDEX todos_remind_idx;
CREATE INDEX todos_remind_idx ON todos (tenant_id, remind_at)
  WHERE remind_at IS NOT NULL AND reminded_at IS NULL AND deleted_at IS NULL AND status IN ('open', 'in_progress');

GRANT SELECT (tenant_id, id, status, remind_at, reminded_at, deleted_at) ON todos TO {{schema}}_relay;
CREATE POLICY reminders ON todos FOR SELECT TO {{schema}}_relay USING (true);

-- At most `each` of a tenant and `max` in all; tenants with many take turns with those that have few. It takes nothing:
-- whoever reminds does so in a transaction of the tenant, and only the first one finds it still to be done.
CREATE FUNCTION reminders_due(now timestamptz, each integer, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH RECURSIVE tenants AS (
    (SELECT t.tenant_id FROM {{schema}}.todos AS t
     WHERE t.remind_at IS NOT NULL AND t.reminded_at IS NULL AND t.deleted_at IS NULL
       AND t.status IN ('open', 'in_progress')
     ORDER BY t.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT t.tenant_id FROM {{schema}}.todos AS t
            WHERE t.remind_at IS NOT NULL AND t.reminded_at IS NULL AND t.deleted_at IS NULL
              AND t.status IN ('open', 'in_progress') AND t.tenant_id > former.tenant_id
            ORDER BY t.tenant_id LIMIT 1)
    FROM tenants AS former WHERE former.tenant_id IS NOT NULL
  )
  SELECT tenants.tenant_id, due.id
  FROM tenants
  CROSS JOIN LATERAL (
    SELECT o.id, row_number() OVER () AS turn
    FROM (SELECT t.id FROM {{schema}}.todos AS t
          WHERE t.tenant_id = tenants.tenant_id AND t.remind_at <= now AND t.reminded_at IS NULL
            AND t.deleted_at IS NULL AND t.status IN ('open', 'in_progress')
          ORDER BY t.remind_at LIMIT least(greatest(each, 0), 1000)) AS o
  ) AS due
  WHERE tenants.tenant_id IS NOT NULL
  ORDER BY due.turn
  LIMIT least(greatest(max, 0), 1000);
END;

ALTER FUNCTION reminders_due(timestamptz, integer, integer) OWNER TO {{schema}}_relay;
