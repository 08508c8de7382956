-- There is something to check at all.
SELECT $1::text AS object, 'the schema does not exist: run "bizosaas migrate"' AS problem
WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)
