-- What people's own tools for reports (Superset) log in as is a member of this group: docs/superset.md. Only analytics has
-- one. Nobody logs in as the group itself.
DO $$
BEGIN
  IF '{{schema}}' = 'analytics' AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{schema}}_readers') THEN
    CREATE ROLE {{schema}}_readers NOLOGIN;
  END IF;
END $$;
