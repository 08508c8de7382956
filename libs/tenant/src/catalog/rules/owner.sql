-- Tables and views belong to the role that nobody logs in as.
SELECT n.nspname || '.' || c.relname AS object,
       'belongs to ' || pg_get_userbyid(c.relowner) || ' instead of ' || $1 || '_owner' AS problem
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1
  AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  AND pg_get_userbyid(c.relowner) <> $1 || '_owner'
