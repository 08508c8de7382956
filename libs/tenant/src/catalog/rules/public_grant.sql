-- Rights are given to the service's roles, never to everybody who can log in.
SELECT granted.object, 'is granted to PUBLIC' AS problem
FROM (
  SELECT n.nspname AS object, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
  FROM pg_namespace n WHERE n.nspname = $1
  UNION ALL
  SELECT n.nspname || '.' || c.relname, coalesce(c.relacl, acldefault('r', c.relowner))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION ALL
  SELECT n.nspname || '.' || f.proname, coalesce(f.proacl, acldefault('f', f.proowner))
  FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
  WHERE n.nspname = $1
) AS granted
WHERE EXISTS (SELECT FROM aclexplode(granted.acl) AS entry WHERE entry.grantee = 0)
