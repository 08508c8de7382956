-- Every table has the tenant's column in its one form.
SELECT n.nspname || '.' || c.relname AS object,
       CASE WHEN a.attnum IS NULL THEN 'has no column tenant_id'
            WHEN a.atttypid <> 'pg_catalog.uuid'::regtype THEN 'has a tenant_id that is not a uuid'
            WHEN NOT a.attnotnull THEN 'has a tenant_id that may be null'
            ELSE 'has a tenant_id without DEFAULT (current_setting(''app.tenant_id'')::uuid)'
       END AS problem
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE n.nspname = $1
  AND c.relkind IN ('r', 'p')
  AND NOT c.relispartition
  AND (a.attnum IS NULL
       OR a.atttypid <> 'pg_catalog.uuid'::regtype
       OR NOT a.attnotnull
       OR pg_get_expr(d.adbin, d.adrelid) IS DISTINCT FROM '(current_setting(''app.tenant_id''::text))::uuid')
