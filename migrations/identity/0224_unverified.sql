-- Registrations whose address was never verified. The address is nobody's home yet, so that who asks for another mail is
-- found by the latest of them; and what stays unverified goes after a while.
CREATE FUNCTION unverified_home(wanted text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT tenant_id FROM identity.users
  WHERE email = wanted AND email_verified_at IS NULL AND password_hash IS NOT NULL
  ORDER BY created_at DESC LIMIT 1);

ALTER FUNCTION unverified_home(text) OWNER TO identity_relay;

GRANT SELECT, DELETE ON tenants TO identity_relay;
CREATE POLICY retention_reads ON tenants FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON tenants FOR DELETE TO identity_relay USING (true);

-- Deletes tenants that nobody ever could log in to: one user, whose address was not verified and is nobody's home.
CREATE FUNCTION purge_unverified(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM identity.tenants AS doomed
    USING (
      SELECT t.tenant_id FROM identity.tenants AS t
      WHERE t.created_at < before
        AND 1 = (SELECT count(*) FROM identity.users AS u WHERE u.tenant_id = t.tenant_id)
        AND EXISTS (
          SELECT FROM identity.users AS u
          WHERE u.tenant_id = t.tenant_id AND u.email_verified_at IS NULL AND u.password_hash IS NOT NULL
            AND NOT EXISTS (SELECT FROM identity.login_homes AS h WHERE h.home_tenant_id = u.tenant_id AND h.user_id = u.id))
        AND NOT EXISTS (SELECT FROM identity.sessions AS s WHERE s.tenant_id = t.tenant_id)
      LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION purge_unverified(timestamptz, integer) OWNER TO identity_relay;
