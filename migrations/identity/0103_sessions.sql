-- A login that has not ended: the unit of revocation, and the row that refresh, logout and revocation lock so that
-- they happen one after the other. `expires_at` is the absolute end, fixed at login and never moved.
CREATE TABLE sessions (
  tenant_id      uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id             uuid        NOT NULL,
  user_id        uuid        NOT NULL,
  client_id      text        NOT NULL,
  auth_time      timestamptz NOT NULL,
  last_used_at   timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  revoked_at     timestamptz,
  revoked_reason text,
  CONSTRAINT sessions_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT sessions_user_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT sessions_revoked_check CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL)),
  CONSTRAINT sessions_reason_check CHECK (revoked_reason IN ('logout', 'refresh_reuse'))
);

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON sessions
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- A user's sessions, and the target of the foreign key's cascade.
CREATE INDEX sessions_user_idx ON sessions (tenant_id, user_id);
-- Expired sessions, for the retention job.
CREATE INDEX sessions_expiry_idx ON sessions (tenant_id, expires_at);
