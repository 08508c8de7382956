-- A unique index without the tenant tells one tenant what another one has; any other one cannot be used under the policy.
SELECT n.nspname || '.' || i.relname AS object,
       CASE WHEN x.indisunique THEN 'is a unique index that does not start with tenant_id'
            ELSE 'is an index that does not start with tenant_id' END AS problem
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE n.nspname = $1
  AND NOT c.relispartition
  AND x.indkey[0] <> a.attnum
