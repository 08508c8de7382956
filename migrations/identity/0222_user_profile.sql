-- The language that a user reads, a picture, and when an account that its user deleted goes for good.
ALTER TABLE users
  ADD COLUMN locale       text,
  ADD COLUMN picture      text,
  ADD COLUMN delete_after timestamptz,
  ADD CONSTRAINT users_locale_check CHECK (char_length(locale) BETWEEN 2 AND 35),
  ADD CONSTRAINT users_picture_check CHECK (char_length(picture) BETWEEN 9 AND 2048);

-- Accounts that are due to go, across tenants.
CREATE INDEX users_deletion_idx ON users (delete_after) WHERE delete_after IS NOT NULL;

GRANT SELECT ON users TO identity_relay;
CREATE POLICY deletion_reads ON users FOR SELECT TO identity_relay USING (true);

-- Whose time has come; the rows are deleted in their own tenant.
CREATE FUNCTION users_to_delete(at timestamptz, batch integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT u.tenant_id, u.id FROM identity.users AS u
  WHERE u.delete_after <= at
  ORDER BY u.delete_after LIMIT least(greatest(batch, 0), 100);
END;

ALTER FUNCTION users_to_delete(timestamptz, integer) OWNER TO identity_relay;
