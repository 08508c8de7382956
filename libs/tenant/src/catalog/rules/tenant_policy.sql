-- The isolating policy is there, for all commands, and in the form that the planner evaluates once per statement.
SELECT n.nspname || '.' || c.relname AS object,
       'has no policy for all commands with USING and WITH CHECK '
       '(tenant_id = (SELECT current_setting(''app.tenant_id'')::uuid))' AS problem
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
CROSS JOIN (VALUES
  ('(tenant_id = ( SELECT (current_setting(''app.tenant_id''::text))::uuid AS current_setting))')) AS form (tenant)
WHERE n.nspname = $1
  AND c.relkind IN ('r', 'p')
  AND NOT c.relispartition
  AND NOT EXISTS (
    SELECT FROM pg_policy p
    WHERE p.polrelid = c.oid
      AND p.polcmd = '*'
      AND (p.polroles = '{0}' OR to_regrole($1 || '_api')::oid = ANY (p.polroles))
      AND pg_get_expr(p.polqual, p.polrelid) = form.tenant
      AND pg_get_expr(p.polwithcheck, p.polrelid) = form.tenant)
