-- A directory gives a user another address: the default home of the old one is given up, if it is this user's. Only for the
-- tenant of this transaction. Whether the new address gets it depends on whether it has to be verified first.
CREATE FUNCTION leave_home(old text, leaver uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  DELETE FROM identity.login_homes
  WHERE email = old AND home_tenant_id = current_setting('app.tenant_id')::uuid AND user_id = leaver;
  RETURN FOUND;
END $$;

ALTER FUNCTION leave_home(text, uuid) OWNER TO identity_relay;
