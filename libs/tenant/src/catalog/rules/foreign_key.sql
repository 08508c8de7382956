-- Foreign keys ignore row-level security: without the tenant in the key, a row could refer to another tenant's row.
SELECT n.nspname || '.' || c.relname || '.' || k.conname AS object,
       CASE WHEN k.confdeltype IN ('n', 'd') AND k.confdelsetcols IS NULL AND pair.tenant
            THEN 'is a foreign key whose ON DELETE SET would change tenant_id: name the columns'
            ELSE 'is a foreign key between tenant tables without tenant_id' END AS problem
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute mine ON mine.attrelid = k.conrelid AND mine.attname = 'tenant_id' AND NOT mine.attisdropped
JOIN pg_attribute theirs ON theirs.attrelid = k.confrelid AND theirs.attname = 'tenant_id' AND NOT theirs.attisdropped
CROSS JOIN LATERAL (
  SELECT EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS u (here, there)
                 WHERE u.here = mine.attnum AND u.there = theirs.attnum) AS tenant) AS pair
WHERE n.nspname = $1
  AND k.contype = 'f'
  AND k.conparentid = 0
  AND (NOT pair.tenant OR (k.confdeltype IN ('n', 'd') AND k.confdelsetcols IS NULL))
