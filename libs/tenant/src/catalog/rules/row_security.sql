-- Policies count, for the table's owner too.
SELECT n.nspname || '.' || c.relname AS object,
       CASE WHEN NOT c.relrowsecurity THEN 'does not ENABLE ROW LEVEL SECURITY'
            ELSE 'does not FORCE ROW LEVEL SECURITY: its owner sees every tenant' END AS problem
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE n.nspname = $1
  AND c.relkind IN ('r', 'p')
  AND NOT c.relispartition
  AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
