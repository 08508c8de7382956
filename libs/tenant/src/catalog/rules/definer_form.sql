-- Functions on that list cannot be led astray by the caller's search path, and belong to the role made for them.
SELECT n.nspname || '.' || f.proname AS object,
       CASE WHEN pg_get_userbyid(f.proowner) <> $1 || '_relay'
            THEN 'is a SECURITY DEFINER function that does not belong to ' || $1 || '_relay'
            ELSE 'is a SECURITY DEFINER function without SET search_path' END AS problem
FROM pg_proc f
JOIN pg_namespace n ON n.oid = f.pronamespace
WHERE n.nspname = $1
  AND f.prosecdef
  AND (pg_get_userbyid(f.proowner) <> $1 || '_relay'
       OR NOT EXISTS (SELECT FROM unnest(f.proconfig) AS setting WHERE setting LIKE 'search\_path=%'))
