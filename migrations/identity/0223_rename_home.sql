-- A user's address changes: the default home of the old one is given up, if it is this user's, and the new one gets it,
-- if it has none. Only for the tenant of this transaction.
GRANT DELETE ON login_homes TO identity_relay;

CREATE FUNCTION rename_home(old text, new text, mover uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM identity.login_homes
  WHERE email = old AND home_tenant_id = current_setting('app.tenant_id')::uuid AND user_id = mover;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO identity.login_homes (email, home_tenant_id, user_id)
  VALUES (new, current_setting('app.tenant_id')::uuid, mover)
  ON CONFLICT (email) DO NOTHING;
  RETURN FOUND;
END $$;

ALTER FUNCTION rename_home(text, text, uuid) OWNER TO identity_relay;
