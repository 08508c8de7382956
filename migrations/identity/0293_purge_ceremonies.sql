-- Retention crosses tenants: what logins and registrations of passkeys that were given up leave behind. Each table loses one
-- bounded batch of rows that ended before an instant. Answers the most rows that went from one of them; less than `batch`
-- means that nothing is left.
GRANT SELECT, DELETE ON mfa_challenges, mfa_failures, passkey_registrations, passkey_logins TO identity_relay;
CREATE POLICY retention_reads ON mfa_challenges FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON mfa_challenges FOR DELETE TO identity_relay USING (true);
CREATE POLICY retention_reads ON mfa_failures FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON mfa_failures FOR DELETE TO identity_relay USING (true);
CREATE POLICY retention_reads ON passkey_registrations FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON passkey_registrations FOR DELETE TO identity_relay USING (true);
CREATE POLICY retention_reads ON passkey_logins FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON passkey_logins FOR DELETE TO identity_relay USING (true);

CREATE FUNCTION purge_ceremonies(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH challenges AS (
    DELETE FROM identity.mfa_challenges AS doomed
    USING (SELECT tenant_id, id FROM identity.mfa_challenges WHERE expires_at < before LIMIT batch) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  ), failures AS (
    DELETE FROM identity.mfa_failures AS doomed
    USING (SELECT tenant_id, user_id FROM identity.mfa_failures WHERE window_start < before LIMIT batch) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.user_id = old.user_id
    RETURNING 1
  ), registrations AS (
    DELETE FROM identity.passkey_registrations AS doomed
    USING (SELECT tenant_id, id FROM identity.passkey_registrations WHERE expires_at < before LIMIT batch) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  ), logins AS (
    DELETE FROM identity.passkey_logins AS doomed
    USING (SELECT tenant_id, ceremony_id FROM identity.passkey_logins WHERE expires_at < before LIMIT batch) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.ceremony_id = old.ceremony_id
    RETURNING 1
  )
  SELECT greatest(
    (SELECT count(*) FROM challenges), (SELECT count(*) FROM failures), (SELECT count(*) FROM registrations),
    (SELECT count(*) FROM logins));
END;

ALTER FUNCTION purge_ceremonies(timestamptz, integer) OWNER TO identity_relay;
