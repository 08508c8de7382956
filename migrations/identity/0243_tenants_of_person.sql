-- Where somebody may work: questions that cross tenants, each about one exact person or address.

-- The tenants of a person whose home is `home`, behind one of them, by their ids.
CREATE FUNCTION tenants_of_person(home uuid, person uuid, after uuid, most integer)
RETURNS TABLE (tenant uuid, slug text, name text, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT t.tenant_id, t.slug, t.name, m.role
  FROM (
    SELECT home AS tenant_id
    UNION SELECT guest_tenant_id FROM identity.guest_memberships WHERE tenant_id = home AND user_id = person
  ) AS place
  JOIN identity.users AS u ON u.tenant_id = place.tenant_id AND u.id = person AND u.status = 'active'
  JOIN identity.memberships AS m ON m.tenant_id = u.tenant_id AND m.user_id = u.id AND m.status = 'active'
  JOIN identity.tenants AS t ON t.tenant_id = u.tenant_id AND t.status = 'active'
  WHERE coalesce(u.home_tenant_id, u.tenant_id) = home AND (after IS NULL OR t.tenant_id > after)
  ORDER BY t.tenant_id
  LIMIT least(greatest(most, 0), 1000);
END;

-- The tenants in which an address belongs to somebody who may work there.
CREATE FUNCTION tenants_of_address(wanted text) RETURNS TABLE (slug text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT t.slug, t.name
  FROM identity.users AS u
  JOIN identity.memberships AS m ON m.tenant_id = u.tenant_id AND m.user_id = u.id AND m.status = 'active'
  JOIN identity.tenants AS t ON t.tenant_id = u.tenant_id AND t.status = 'active'
  WHERE u.email = wanted AND u.status = 'active'
  ORDER BY t.name, t.tenant_id
  LIMIT 100;
END;

-- Makes `target` the default home of an address that has an active user with a password there; false when it has none.
GRANT UPDATE ON login_homes TO identity_relay;
CREATE FUNCTION move_home(wanted text, target uuid, verified_only boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO identity.login_homes AS h (email, home_tenant_id, user_id)
  SELECT u.email, u.tenant_id, u.id
  FROM identity.users AS u JOIN identity.tenants AS t ON t.tenant_id = u.tenant_id
  WHERE u.tenant_id = target AND u.email = wanted AND u.password_hash IS NOT NULL
    AND u.status = 'active' AND t.status = 'active' AND (NOT verified_only OR u.email_verified_at IS NOT NULL)
  ON CONFLICT (email) DO UPDATE SET home_tenant_id = excluded.home_tenant_id, user_id = excluded.user_id;
  RETURN FOUND;
END $$;

ALTER FUNCTION tenants_of_person(uuid, uuid, uuid, integer) OWNER TO identity_relay;
ALTER FUNCTION tenants_of_address(text) OWNER TO identity_relay;
ALTER FUNCTION move_home(text, uuid, boolean) OWNER TO identity_relay;
