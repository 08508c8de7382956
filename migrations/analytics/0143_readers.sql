-- Logins of tenants' own tools for reports: which login is whose. A login can set app.tenant_id to whatever it likes, so
-- what it sees hangs on its name as well: the policies below are restrictive, which is to say that they and the one of the
-- tenant must both agree. They hold for the group, whose members have no other rights than its own: who is not under the
-- policies has no right to read either. Rights are on tables, never on partitions.
CREATE TABLE reader_roles (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  role_name     text        NOT NULL,
  created_at    timestamptz NOT NULL,
  CONSTRAINT reader_roles_pkey PRIMARY KEY (tenant_id, role_name)
);

ALTER TABLE reader_roles ENABLE ROW LEVEL SECURITY;
ALTER TABLE reader_roles FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON reader_roles
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
CREATE POLICY own_name ON reader_roles AS RESTRICTIVE TO {{schema}}_readers USING (role_name = current_user);

GRANT USAGE ON SCHEMA {{schema}} TO {{schema}}_readers;
GRANT SELECT ON reader_roles TO {{schema}}_readers;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['tracked_events', 'rollup_15m', 'rollup_day', 'facts', 'orders', 'order_lines', 'deals', 'deal_stages']
  LOOP
    EXECUTE format(
      'CREATE POLICY reader ON {{schema}}.%I AS RESTRICTIVE TO {{schema}}_readers USING (tenant_id = ('
      'SELECT r.tenant_id FROM {{schema}}.reader_roles AS r WHERE r.role_name = current_user))', name);
    EXECUTE format('GRANT SELECT ON {{schema}}.%I TO {{schema}}_readers', name);
  END LOOP;
END $$;
