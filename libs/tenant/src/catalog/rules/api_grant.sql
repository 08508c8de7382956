-- The API role changes rows. TRUNCATE ignores policies, REFERENCES and TRIGGER change the table itself.
SELECT n.nspname || '.' || c.relname AS object,
       'lets ' || r.rolname || ' ' || string_agg(p.privilege, ', ' ORDER BY p.privilege) AS problem
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_roles r ON r.rolname = $1 || '_api'
CROSS JOIN (VALUES ('TRUNCATE'), ('REFERENCES'), ('TRIGGER')) AS p (privilege)
WHERE n.nspname = $1
  AND c.relkind IN ('r', 'p')
  AND has_table_privilege(r.oid, c.oid, p.privilege)
GROUP BY n.nspname, c.relname, r.rolname
