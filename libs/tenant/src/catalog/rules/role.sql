-- The role of this connection can do no more than change rows. Not under a schema rule: it checks who is asking.
SELECT r.rolname AS object, found.problem
FROM pg_roles r
CROSS JOIN LATERAL (
  SELECT 'is a superuser: row-level security does not apply to it' AS problem WHERE r.rolsuper
  UNION ALL
  SELECT 'has BYPASSRLS' WHERE r.rolbypassrls
  UNION ALL
  SELECT 'may create roles' WHERE r.rolcreaterole AND NOT r.rolsuper
  UNION ALL
  SELECT 'may create databases' WHERE r.rolcreatedb AND NOT r.rolsuper
  UNION ALL
  SELECT 'may replicate' WHERE r.rolreplication AND NOT r.rolsuper
  UNION ALL
  SELECT 'is a member of ' || string_agg(strong.rolname, ', ' ORDER BY strong.rolname)
  FROM pg_auth_members m JOIN pg_roles strong ON strong.oid = m.roleid
  WHERE m.member = r.oid
  HAVING count(*) > 0
  UNION ALL
  SELECT 'owns ' || count(*) || ' objects'
  FROM pg_shdepend d
  WHERE d.refclassid = 'pg_authid'::regclass
    AND d.refobjid = r.oid
    AND d.deptype = 'o'
    AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  HAVING count(*) > 0
  UNION ALL
  SELECT 'may create objects in schema ' || n.nspname
  FROM pg_namespace n
  WHERE n.nspname = $1 AND NOT r.rolsuper AND has_schema_privilege(r.oid, n.oid, 'CREATE')
) AS found
WHERE r.rolname = current_user
