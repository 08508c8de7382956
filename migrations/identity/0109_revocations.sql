-- Access tokens that must not be accepted any more although they have not expired: those of a session, of a user in this
-- tenant, or of the whole tenant, that were signed at or before `revoked_at`. A row is of no use once the last of those
-- tokens has expired.
CREATE TABLE revocations (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id         uuid        NOT NULL,
  kind       text        NOT NULL,
  subject    uuid        NOT NULL,
  revoked_at timestamptz NOT NULL,
  CONSTRAINT revocations_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT revocations_kind_check CHECK (kind IN ('session', 'user', 'tenant'))
);

ALTER TABLE revocations ENABLE ROW LEVEL SECURITY;
ALTER TABLE revocations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON revocations
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
