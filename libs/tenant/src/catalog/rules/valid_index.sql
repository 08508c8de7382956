-- A concurrent build that was interrupted leaves an index that costs writes and serves no reads.
SELECT n.nspname || '.' || i.relname AS object, 'is an invalid index: run "bizosaas migrate" again' AS problem
FROM pg_index x
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_namespace n ON n.oid = i.relnamespace
WHERE n.nspname = $1
  AND NOT x.indisvalid
