-- A guest's sessions hang on the home: they start from one of the person's sessions and end when everything ends there.
GRANT UPDATE ON sessions TO identity_relay;
GRANT INSERT ON revocations, events TO identity_relay;
CREATE POLICY guests_update ON sessions FOR UPDATE TO identity_relay USING (true) WITH CHECK (true);
CREATE POLICY guests_insert ON revocations FOR INSERT TO identity_relay WITH CHECK (true);
CREATE POLICY guests_insert ON events FOR INSERT TO identity_relay WITH CHECK (true);

-- A time-ordered id (UUIDv7) of an instant.
CREATE FUNCTION id_at(moment timestamptz) RETURNS uuid
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
  PLACING substring(int8send((extract(epoch FROM moment) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid;
GRANT EXECUTE ON FUNCTION id_at(timestamptz) TO identity_relay;

-- A session of a person in any tenant, for a session that goes on from it elsewhere; nothing when it has ended. It cannot
-- be ended before the transaction is over: whoever ends everything then sees the new one too.
CREATE FUNCTION hold_session(session_tenant uuid, wanted uuid, person uuid, moment timestamptz)
RETURNS TABLE (
  client_id text, device_name text, auth_time timestamptz, acr text, amr text[], expires_at timestamptz,
  refresh_lifetime integer)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT s.client_id, s.device_name, s.auth_time, s.acr, s.amr, s.expires_at, s.refresh_lifetime
  FROM identity.sessions AS s
  WHERE s.tenant_id = session_tenant AND s.id = wanted AND s.user_id = person
    AND s.revoked_at IS NULL AND s.expires_at > moment
  FOR SHARE;
END;

-- Ends the sessions that a person of the transaction's tenant has as a guest, or those of all its people when `person` is
-- null, refuses their access tokens, and tells it. Answers how many sessions ended.
CREATE FUNCTION end_guest_sessions(person uuid, because text, moment timestamptz) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH places AS (
    SELECT user_id, guest_tenant_id FROM identity.guest_memberships
    WHERE tenant_id = current_setting('app.tenant_id')::uuid AND (person IS NULL OR user_id = person)
  ), ended AS (
    UPDATE identity.sessions AS s SET revoked_at = moment, revoked_reason = because
    FROM places AS p
    WHERE s.tenant_id = p.guest_tenant_id AND s.user_id = p.user_id AND s.revoked_at IS NULL
    RETURNING s.tenant_id, s.id
  ), refused AS (
    INSERT INTO identity.revocations (tenant_id, id, kind, subject, revoked_at)
    SELECT guest_tenant_id, identity.id_at(moment), 'user', user_id, moment FROM places
  ), told AS (
    INSERT INTO identity.events (tenant_id, id, kind, at, data)
    SELECT tenant_id, identity.id_at(moment), 'session.revoked', moment,
           jsonb_build_object('session_id', id, 'reason', because) FROM ended
  )
  SELECT count(*) FROM ended;
END;

ALTER FUNCTION hold_session(uuid, uuid, uuid, timestamptz) OWNER TO identity_relay;
ALTER FUNCTION end_guest_sessions(uuid, text, timestamptz) OWNER TO identity_relay;
