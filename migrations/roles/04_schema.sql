-- The schema and who may do what in it. What a later migration creates inherits these rights.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{{schema}}') THEN
    CREATE SCHEMA {{schema}} AUTHORIZATION {{schema}}_owner;
  END IF;
END $$;

GRANT USAGE ON SCHEMA {{schema}} TO {{schema}}_api, {{schema}}_relay;
-- The owner of a function needs CREATE on its schema at the moment it is handed over.
GRANT CREATE ON SCHEMA {{schema}} TO {{schema}}_relay;

-- Functions are executable by everybody unless this is said for the role as a whole.
ALTER DEFAULT PRIVILEGES FOR ROLE {{schema}}_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE {{schema}}_owner IN SCHEMA {{schema}}
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {{schema}}_api;
ALTER DEFAULT PRIVILEGES FOR ROLE {{schema}}_owner IN SCHEMA {{schema}}
  GRANT USAGE, SELECT ON SEQUENCES TO {{schema}}_api;
ALTER DEFAULT PRIVILEGES FOR ROLE {{schema}}_owner IN SCHEMA {{schema}}
  GRANT EXECUTE ON FUNCTIONS TO {{schema}}_api;
