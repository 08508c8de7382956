-- A guest is a person of another tenant: a row in `users` here with the same id, without a password, with the tenant
-- where the password is. A user without `home_tenant_id` is at home here.
ALTER TABLE users
  ADD COLUMN home_tenant_id uuid,
  ADD CONSTRAINT users_home_check
    CHECK (home_tenant_id IS NULL OR home_tenant_id = tenant_id OR password_hash IS NULL);

-- The tenants in which a person of this tenant is a guest: the home's side of the same fact. The functions below write
-- both sides in one transaction.
CREATE TABLE guest_memberships (
  tenant_id       uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  user_id         uuid        NOT NULL,
  guest_tenant_id uuid        NOT NULL,
  created_at      timestamptz NOT NULL,
  CONSTRAINT guest_memberships_pkey PRIMARY KEY (tenant_id, user_id, guest_tenant_id),
  CONSTRAINT guest_memberships_user_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT guest_memberships_tenant_check CHECK (guest_tenant_id <> tenant_id)
);

ALTER TABLE guest_memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE guest_memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON guest_memberships
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
-- Only the functions write it.
REVOKE INSERT, UPDATE, DELETE ON guest_memberships FROM identity_api;

GRANT SELECT ON tenants, memberships TO identity_relay;
GRANT SELECT, INSERT, UPDATE, DELETE ON users, guest_memberships TO identity_relay;
CREATE POLICY guests_read ON tenants FOR SELECT TO identity_relay USING (true);
CREATE POLICY guests_read ON memberships FOR SELECT TO identity_relay USING (true);
CREATE POLICY guests ON users TO identity_relay USING (true) WITH CHECK (true);
CREATE POLICY guests ON guest_memberships TO identity_relay USING (true) WITH CHECK (true);

-- Makes an active user of `home` a guest of the transaction's tenant; false when there is no such user. What the guest's
-- row says of the person comes from home and from nowhere else. The membership is the caller's to write.
CREATE FUNCTION add_guest(home uuid, guest uuid, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  here   uuid := current_setting('app.tenant_id')::uuid;
  person record;
BEGIN
  SELECT u.email, u.name, u.email_verified_at INTO person
  FROM identity.users AS u JOIN identity.tenants AS t ON t.tenant_id = u.tenant_id
  WHERE u.tenant_id = home AND u.id = guest AND home <> here AND u.status = 'active' AND t.status = 'active'
    AND coalesce(u.home_tenant_id, home) = home
  -- Whoever disables or deletes the user at home waits, and then finds this guest.
  FOR SHARE OF u;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO identity.users AS u (tenant_id, id, email, name, home_tenant_id, email_verified_at, created_at, updated_at)
  VALUES (here, guest, person.email, person.name, home, person.email_verified_at, moment, moment)
  ON CONFLICT ON CONSTRAINT users_pkey DO UPDATE
  SET email = excluded.email, name = excluded.name, email_verified_at = excluded.email_verified_at,
      updated_at = excluded.updated_at, version = u.version + 1
  WHERE u.home_tenant_id = excluded.home_tenant_id;
  INSERT INTO identity.guest_memberships (tenant_id, user_id, guest_tenant_id, created_at)
  VALUES (home, guest, here, moment) ON CONFLICT DO NOTHING;
  RETURN true;
END $$;

-- Takes a guest of the transaction's tenant away on both sides; false when there is none.
CREATE FUNCTION remove_guest(guest uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  here uuid := current_setting('app.tenant_id')::uuid;
  home uuid;
BEGIN
  DELETE FROM identity.users
  WHERE tenant_id = here AND id = guest AND home_tenant_id <> here RETURNING home_tenant_id INTO home;
  DELETE FROM identity.guest_memberships WHERE tenant_id = home AND user_id = guest AND guest_tenant_id = here;
  RETURN home IS NOT NULL;
END $$;

-- Whether a guest of the transaction's tenant is somebody at home: the user and the tenant there are active and know of it.
CREATE FUNCTION guest_is_welcome(home uuid, guest uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN EXISTS (
  SELECT FROM identity.guest_memberships AS g
  JOIN identity.users AS u ON u.tenant_id = g.tenant_id AND u.id = g.user_id
  JOIN identity.tenants AS t ON t.tenant_id = g.tenant_id
  WHERE g.tenant_id = home AND g.user_id = guest AND g.guest_tenant_id = current_setting('app.tenant_id')::uuid
    AND u.status = 'active' AND t.status = 'active');

-- Carries address and name of a user of the transaction's tenant to where the user is a guest; answers to how many
-- tenants. An address that somebody else has there does not go.
CREATE FUNCTION spread_profile(person uuid, moment timestamptz) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH changed AS (
    UPDATE identity.users AS g
    SET email = CASE WHEN EXISTS (
          SELECT FROM identity.users AS o WHERE o.tenant_id = g.tenant_id AND o.email = h.email AND o.id <> g.id)
          THEN g.email ELSE h.email END,
        name = h.name, email_verified_at = h.email_verified_at, updated_at = moment, version = g.version + 1
    FROM identity.users AS h JOIN identity.guest_memberships AS p ON p.tenant_id = h.tenant_id AND p.user_id = h.id
    WHERE h.tenant_id = current_setting('app.tenant_id')::uuid AND h.id = person
      AND g.tenant_id = p.guest_tenant_id AND g.id = h.id AND g.home_tenant_id = h.tenant_id
    RETURNING 1
  )
  SELECT count(*) FROM changed;
END;

ALTER FUNCTION add_guest(uuid, uuid, timestamptz) OWNER TO identity_relay;
ALTER FUNCTION remove_guest(uuid) OWNER TO identity_relay;
ALTER FUNCTION guest_is_welcome(uuid, uuid) OWNER TO identity_relay;
ALTER FUNCTION spread_profile(uuid, timestamptz) OWNER TO identity_relay;
