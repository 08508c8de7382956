-- Mails that wait to be sent, written in the transaction of what they tell. `sealed` holds the address, the language and
-- the values of the template, links with secrets among them: AES-256-GCM under a key derived from the platform secret,
-- bound to `id`. It is emptied once the mail was sent or given up. `due_at` of a mail that is being sent is when another
-- process may try it.
CREATE TABLE mails (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id         uuid        NOT NULL,
  template   text        NOT NULL,
  sealed     bytea       NOT NULL,
  created_at timestamptz NOT NULL,
  due_at     timestamptz NOT NULL,
  attempts   integer     NOT NULL DEFAULT 0,
  sent_at    timestamptz,
  failed_at  timestamptz,
  CONSTRAINT mails_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT mails_tenant_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (tenant_id) ON DELETE CASCADE,
  CONSTRAINT mails_attempts_check CHECK (attempts >= 0),
  CONSTRAINT mails_end_check CHECK (sent_at IS NULL OR failed_at IS NULL)
);

ALTER TABLE mails ENABLE ROW LEVEL SECURITY;
ALTER TABLE mails FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON mails
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Old mails, for the retention job.
CREATE INDEX mails_age_idx ON mails (tenant_id, created_at);
-- What waits, across tenants.
CREATE INDEX mails_due_idx ON mails (due_at) WHERE sent_at IS NULL AND failed_at IS NULL;

GRANT SELECT, UPDATE, DELETE ON mails TO identity_relay;
CREATE POLICY sending_reads ON mails FOR SELECT TO identity_relay USING (true);
CREATE POLICY sending_writes ON mails FOR UPDATE TO identity_relay USING (true) WITH CHECK (true);
CREATE POLICY retention_deletes ON mails FOR DELETE TO identity_relay USING (true);

-- Takes mails that are due, until `lease`: who does not report by then has died, and another process tries again.
CREATE FUNCTION claim_mails(at timestamptz, lease timestamptz, batch integer)
RETURNS TABLE (tenant_id uuid, id uuid, template text, sealed bytea, created_at timestamptz, attempts integer)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE identity.mails AS m SET due_at = lease, attempts = m.attempts + 1
  FROM (
    SELECT d.tenant_id, d.id FROM identity.mails AS d
    WHERE d.sent_at IS NULL AND d.failed_at IS NULL AND d.due_at <= at
    ORDER BY d.due_at LIMIT least(greatest(batch, 0), 100) FOR UPDATE SKIP LOCKED
  ) AS due
  WHERE m.tenant_id = due.tenant_id AND m.id = due.id
  RETURNING m.tenant_id, m.id, m.template, m.sealed, m.created_at, m.attempts;
END;

CREATE FUNCTION purge_mails(before timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM identity.mails AS doomed
    USING (SELECT tenant_id, id FROM identity.mails WHERE created_at < before LIMIT batch) AS old
    WHERE doomed.tenant_id = old.tenant_id AND doomed.id = old.id
    RETURNING 1
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION claim_mails(timestamptz, timestamptz, integer) OWNER TO identity_relay;
ALTER FUNCTION purge_mails(timestamptz, integer) OWNER TO identity_relay;
