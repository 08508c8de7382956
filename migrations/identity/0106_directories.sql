-- The two things that must be known before the tenant is known: which tenant a slug names, and in which tenant an
-- address logs in when nothing else names one (its default home: the first one it registered in). Both are unique
-- across tenants by nature. The service's own role has no right on them; it reaches them through the functions below,
-- which answer one tenant for one exact key and cannot list.
CREATE TABLE tenant_slugs (
  slug            text NOT NULL,
  owner_tenant_id uuid NOT NULL,
  CONSTRAINT tenant_slugs_pkey PRIMARY KEY (slug),
  -- Deferred: a slug is claimed before the tenant's row is written with it.
  CONSTRAINT tenant_slugs_tenant_fkey FOREIGN KEY (owner_tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE
    DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX tenant_slugs_tenant_idx ON tenant_slugs (owner_tenant_id);

CREATE TABLE login_homes (
  email          text NOT NULL,
  home_tenant_id uuid NOT NULL,
  user_id        uuid NOT NULL,
  CONSTRAINT login_homes_pkey PRIMARY KEY (email),
  CONSTRAINT login_homes_user_fkey FOREIGN KEY (home_tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX login_homes_user_idx ON login_homes (home_tenant_id, user_id);

ALTER TABLE tenant_slugs ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_slugs FORCE ROW LEVEL SECURITY;
ALTER TABLE login_homes ENABLE ROW LEVEL SECURITY;
ALTER TABLE login_homes FORCE ROW LEVEL SECURITY;
REVOKE ALL ON tenant_slugs, login_homes FROM identity_api;
GRANT SELECT, INSERT ON tenant_slugs, login_homes TO identity_relay;
CREATE POLICY directory ON tenant_slugs TO identity_relay USING (true) WITH CHECK (true);
CREATE POLICY directory ON login_homes TO identity_relay USING (true) WITH CHECK (true);

-- The tenant that a slug names, or null.
CREATE FUNCTION tenant_of_slug(wanted text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT owner_tenant_id FROM identity.tenant_slugs WHERE slug = wanted);

-- The tenant in which an address logs in by default, or null.
CREATE FUNCTION home_of_email(wanted text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT home_tenant_id FROM identity.login_homes WHERE email = wanted);

-- Takes a free slug for the tenant of this transaction; false when it is taken. A second taker waits for the first.
CREATE FUNCTION claim_slug(wanted text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO identity.tenant_slugs (slug, owner_tenant_id)
  VALUES (wanted, current_setting('app.tenant_id')::uuid)
  ON CONFLICT (slug) DO NOTHING;
  RETURN FOUND;
END $$;

-- Makes the tenant of this transaction the default home of an address that has none; false when it has one.
CREATE FUNCTION claim_home(wanted text, claimant uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO identity.login_homes (email, home_tenant_id, user_id)
  VALUES (wanted, current_setting('app.tenant_id')::uuid, claimant)
  ON CONFLICT (email) DO NOTHING;
  RETURN FOUND;
END $$;

ALTER FUNCTION tenant_of_slug(text) OWNER TO identity_relay;
ALTER FUNCTION home_of_email(text) OWNER TO identity_relay;
ALTER FUNCTION claim_slug(text) OWNER TO identity_relay;
ALTER FUNCTION claim_home(text, uuid) OWNER TO identity_relay;
