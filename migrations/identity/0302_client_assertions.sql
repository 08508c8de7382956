-- Signed assertions that clients were authenticated by, until they end: each is good once (RFC 7523 section 3, item 7).
-- `client_id` is an OAuth client's or a service account's; of the assertion's own id the SHA-256 is kept.
CREATE TABLE client_assertions (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  client_id  uuid        NOT NULL,
  jti_hash   bytea       NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT client_assertions_pkey PRIMARY KEY (tenant_id, client_id, jti_hash),
  CONSTRAINT client_assertions_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE,
  CONSTRAINT client_assertions_hash_check CHECK (octet_length(jti_hash) = 32)
);

ALTER TABLE client_assertions ENABLE ROW LEVEL SECURITY;
ALTER TABLE client_assertions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON client_assertions
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Ended ones, for the retention job.
CREATE INDEX client_assertions_expiry_idx ON client_assertions (tenant_id, expires_at);

GRANT SELECT, DELETE ON client_assertions TO identity_relay;
CREATE POLICY retention_reads ON client_assertions FOR SELECT TO identity_relay USING (true);
CREATE POLICY retention_deletes ON client_assertions FOR DELETE TO identity_relay USING (true);

CREATE FUNCTION purge_client_assertions(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM identity.client_assertions AS doomed
    USING (
      SELECT tenant_id, client_id, jti_hash FROM identity.client_assertions WHERE expires_at < before LIMIT batch
    ) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.client_id = old.client_id AND doomed.jti_hash = old.jti_hash
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION purge_client_assertions(timestamptz, integer) OWNER TO identity_relay;
