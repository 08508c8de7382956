-- Permissive policies are joined with OR, so one that says more than the tenant opens the table. Only the relay role,
-- which nobody can log in as and which owns the reviewed functions, may have such a policy.
SELECT n.nspname || '.' || c.relname || '.' || p.polname AS object,
       'is a permissive policy that does not isolate tenants and is not only for ' || $1 || '_relay' AS problem
FROM pg_policy p
JOIN pg_class c ON c.oid = p.polrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (VALUES
  ('(tenant_id = ( SELECT (current_setting(''app.tenant_id''::text))::uuid AS current_setting))')) AS form (tenant)
WHERE n.nspname = $1
  AND p.polpermissive
  AND p.polroles IS DISTINCT FROM ARRAY[to_regrole($1 || '_relay')::oid]
  AND (coalesce(pg_get_expr(p.polqual, p.polrelid), form.tenant) <> form.tenant
       OR coalesce(pg_get_expr(p.polwithcheck, p.polrelid), form.tenant) <> form.tenant)
