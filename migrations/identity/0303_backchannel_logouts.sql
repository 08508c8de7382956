-- OpenID Connect Back-Channel Logout 1.0. Which login at our pages an application's session came from, so that the
-- applications learn when that login ends. It may be gone: there is no foreign key.
ALTER TABLE authorization_codes ADD COLUMN login_session_id uuid;
ALTER TABLE oauth_grants ADD COLUMN login_session_id uuid;
CREATE INDEX oauth_grants_login_idx ON oauth_grants (tenant_id, login_session_id) WHERE login_session_id IS NOT NULL;

-- Applications that wait to be told that a session of theirs has ended, written in the transaction that ends it. `due_at` of
-- one that is being told is when another process may try it.
CREATE TABLE backchannel_logouts (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  session_id uuid        NOT NULL,
  client_id  uuid        NOT NULL,
  user_id    uuid        NOT NULL,
  created_at timestamptz NOT NULL,
  due_at     timestamptz NOT NULL,
  attempts   integer     NOT NULL DEFAULT 0,
  sent_at    timestamptz,
  failed_at  timestamptz,
  CONSTRAINT backchannel_logouts_pkey PRIMARY KEY (tenant_id, session_id),
  CONSTRAINT backchannel_logouts_session_fkey FOREIGN KEY (tenant_id, session_id)
    REFERENCES sessions (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT backchannel_logouts_client_fkey FOREIGN KEY (tenant_id, client_id)
    REFERENCES oauth_clients (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT backchannel_logouts_attempts_check CHECK (attempts >= 0),
  CONSTRAINT backchannel_logouts_end_check CHECK (sent_at IS NULL OR failed_at IS NULL)
);

ALTER TABLE backchannel_logouts ENABLE ROW LEVEL SECURITY;
ALTER TABLE backchannel_logouts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON backchannel_logouts
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- The target of the foreign key's cascade.
CREATE INDEX backchannel_logouts_client_idx ON backchannel_logouts (tenant_id, client_id);
-- What waits, across tenants.
CREATE INDEX backchannel_logouts_due_idx ON backchannel_logouts (due_at) WHERE sent_at IS NULL AND failed_at IS NULL;

GRANT SELECT, INSERT, UPDATE ON backchannel_logouts TO identity_relay;
CREATE POLICY sending_reads ON backchannel_logouts FOR SELECT TO identity_relay USING (true);
CREATE POLICY sending_writes ON backchannel_logouts FOR UPDATE TO identity_relay USING (true) WITH CHECK (true);
CREATE POLICY guests_write ON backchannel_logouts FOR INSERT TO identity_relay WITH CHECK (true);
GRANT SELECT (tenant_id, session_id, client_id, login_session_id) ON oauth_grants TO identity_relay;
GRANT SELECT (tenant_id, id, backchannel_logout_uri) ON oauth_clients TO identity_relay;
CREATE POLICY logout_reads ON oauth_grants FOR SELECT TO identity_relay USING (true);
CREATE POLICY logout_reads ON oauth_clients FOR SELECT TO identity_relay USING (true);

-- Takes what is due, until `lease`: who does not report by then has died, and another process tries again.
CREATE FUNCTION claim_backchannel_logouts(at timestamptz, lease timestamptz, batch integer)
RETURNS TABLE (tenant_id uuid, session_id uuid, client_id uuid, user_id uuid, created_at timestamptz, attempts integer)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  UPDATE identity.backchannel_logouts AS l SET due_at = lease, attempts = l.attempts + 1
  FROM (
    SELECT d.tenant_id, d.session_id FROM identity.backchannel_logouts AS d
    WHERE d.sent_at IS NULL AND d.failed_at IS NULL AND d.due_at <= at
    ORDER BY d.due_at LIMIT least(greatest(batch, 0), 100) FOR UPDATE SKIP LOCKED
  ) AS due
  WHERE l.tenant_id = due.tenant_id AND l.session_id = due.session_id
  RETURNING l.tenant_id, l.session_id, l.client_id, l.user_id, l.created_at, l.attempts;
END;

-- What the end of a guest's sessions means for applications of the tenants where the person of this tenant (or everybody of
-- it) is a guest. After `end_guest_sessions`, in its transaction and with its moment.
CREATE FUNCTION queue_guest_logouts(person uuid, moment timestamptz) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH queued AS (
    INSERT INTO identity.backchannel_logouts (tenant_id, session_id, client_id, user_id, created_at, due_at)
    SELECT g.tenant_id, g.session_id, g.client_id, p.user_id, moment, moment
    FROM identity.guest_memberships AS p
    JOIN identity.sessions AS s ON s.tenant_id = p.guest_tenant_id AND s.user_id = p.user_id AND s.revoked_at = moment
    JOIN identity.oauth_grants AS g
      ON g.tenant_id = s.tenant_id AND (g.session_id = s.id OR g.login_session_id = s.id)
    JOIN identity.oauth_clients AS c
      ON c.tenant_id = g.tenant_id AND c.id = g.client_id AND c.backchannel_logout_uri IS NOT NULL
    WHERE p.tenant_id = current_setting('app.tenant_id')::uuid AND (person IS NULL OR p.user_id = person)
    ON CONFLICT DO NOTHING
    RETURNING 1
  )
  SELECT count(*) FROM queued;
END;

ALTER FUNCTION claim_backchannel_logouts(timestamptz, timestamptz, integer) OWNER TO identity_relay;
ALTER FUNCTION queue_guest_logouts(uuid, timestamptz) OWNER TO identity_relay;
