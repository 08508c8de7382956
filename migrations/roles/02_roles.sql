-- The four roles of a service:
--   owner     owns schema and tables; nobody logs in as it
--   migrator  logs in to apply migrations, by becoming the owner
--   api       what running services log in as: changes rows, owns nothing, is under every policy
--   relay     owns the reviewed functions that cross tenants; nobody logs in as it
DO $$
DECLARE
  wanted record;
BEGIN
  IF current_setting('server_version_num')::int >= 160000 THEN
    -- Lets an administrator who is no superuser become the roles that it creates.
    PERFORM set_config('createrole_self_grant', 'set, inherit', true);
  END IF;
  FOR wanted IN
    SELECT * FROM (VALUES
      ('{{schema}}_owner', 'NOLOGIN'),
      ('{{schema}}_migrator', 'LOGIN'),
      ('{{schema}}_api', 'LOGIN'),
      ('{{schema}}_relay', 'NOLOGIN')) AS roles (name, login)
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
      EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.login);
    END IF;
  END LOOP;
  IF NOT pg_has_role('{{schema}}_migrator', '{{schema}}_owner', 'MEMBER') THEN
    GRANT {{schema}}_owner TO {{schema}}_migrator;
  END IF;
  -- A migration hands a function over with ALTER FUNCTION .. OWNER TO.
  IF NOT pg_has_role('{{schema}}_owner', '{{schema}}_relay', 'MEMBER') THEN
    GRANT {{schema}}_relay TO {{schema}}_owner;
  END IF;
END $$;
