-- A net under every statement of the API role that costs no turn: it belongs to the role, not to the connection.
DO $$
DECLARE
  wanted record;
BEGIN
  FOR wanted IN
    SELECT * FROM (VALUES
      ('statement_timeout', '5s'),
      ('lock_timeout', '2s'),
      ('idle_in_transaction_session_timeout', '10s')) AS settings (name, value)
  LOOP
    IF NOT EXISTS (
      SELECT FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
      WHERE r.rolname = '{{schema}}_api' AND s.setdatabase = 0
        AND s.setconfig @> ARRAY[wanted.name || '=' || wanted.value])
    THEN
      EXECUTE format('ALTER ROLE {{schema}}_api SET %I = %L', wanted.name, wanted.value);
    END IF;
  END LOOP;
END $$;
