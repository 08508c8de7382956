-- A partition that is read directly is not under its parent's policy.
SELECT n.nspname || '.' || c.relname AS object,
       'is a partition that is granted to ' || coalesce(r.rolname, 'PUBLIC') || ': grant the parent only' AS problem
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT DISTINCT grantee FROM aclexplode(c.relacl)) AS acl
LEFT JOIN pg_roles r ON r.oid = acl.grantee
WHERE n.nspname = $1
  AND c.relispartition
  AND c.relkind IN ('r', 'p', 'f')
  AND acl.grantee <> c.relowner
