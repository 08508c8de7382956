-- Retention crosses tenants: one bounded batch of sessions that ended and of refresh tokens that expired before an
-- instant. Answers how many rows went; less than `batch` means that nothing is left.
GRANT SELECT, DELETE ON sessions, refresh_tokens TO identity_relay;
CREATE POLICY retention_reads ON sessions FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON sessions FOR DELETE TO identity_relay USING (true);
CREATE POLICY retention_reads ON refresh_tokens FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON refresh_tokens FOR DELETE TO identity_relay USING (true);

CREATE FUNCTION purge_expired(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH tokens AS (
    DELETE FROM identity.refresh_tokens AS doomed
    USING (
      SELECT tenant_id, session_id, generation FROM identity.refresh_tokens
      WHERE expires_at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.session_id = old.session_id
      AND doomed.generation = old.generation
    RETURNING 1
  ), ended AS (
    DELETE FROM identity.sessions AS doomed
    USING (
      SELECT tenant_id, id FROM identity.sessions
      WHERE expires_at < before OR revoked_at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT (SELECT count(*) FROM tokens) + (SELECT count(*) FROM ended);
END;

ALTER FUNCTION purge_expired(timestamptz, integer) OWNER TO identity_relay;
