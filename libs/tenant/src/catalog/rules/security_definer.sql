-- A function with its owner's rights can cross tenants, so each is named in the list with its reason.
SELECT n.nspname || '.' || f.proname AS object, 'is a SECURITY DEFINER function that is not on the list' AS problem
FROM pg_proc f
JOIN pg_namespace n ON n.oid = f.pronamespace
WHERE n.nspname = $1
  AND f.prosecdef
