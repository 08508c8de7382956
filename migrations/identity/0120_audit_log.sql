-- Who did what. Rows are only ever added, through audit_append, which links each to the one before it: `hash` is the
-- SHA-256 of the entry's canonical form (docs/security.md), which has the hash of the entry before it inside.
CREATE TABLE audit_log (
  tenant_id       uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  seq             bigint      NOT NULL,
  id              uuid        NOT NULL,
  at              timestamptz NOT NULL,
  actor_type      text        NOT NULL,
  actor_id        uuid,
  impersonator_id uuid,
  action          text        NOT NULL,
  target_type     text,
  target_id       uuid,
  ip              text,
  user_agent      text,
  request_id      text,
  result          text        NOT NULL,
  -- JSON as it was hashed: no spaces, members in order. jsonb would write it in an order of its own.
  changes         text        NOT NULL,
  prev_hash       bytea       NOT NULL,
  hash            bytea       NOT NULL,
  CONSTRAINT audit_log_pkey PRIMARY KEY (tenant_id, seq),
  CONSTRAINT audit_log_actor_type_check CHECK (actor_type IN ('user', 'service_account', 'anonymous', 'system')),
  CONSTRAINT audit_log_result_check CHECK (result IN ('success', 'failure')),
  CONSTRAINT audit_log_prev_hash_check CHECK (octet_length(prev_hash) = 32),
  CONSTRAINT audit_log_hash_check CHECK (octet_length(hash) = 32)
);

-- Each filter of the list, newest first.
CREATE INDEX audit_log_actor_idx ON audit_log (tenant_id, actor_id, seq);
CREATE INDEX audit_log_target_idx ON audit_log (tenant_id, target_id, seq);
CREATE INDEX audit_log_action_idx ON audit_log (tenant_id, action, seq);
CREATE INDEX audit_log_at_idx ON audit_log (tenant_id, at);

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_log
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
REVOKE INSERT, UPDATE, DELETE ON audit_log FROM identity_api;

-- The newest entry of each tenant's chain. Its row is the lock under which the chain grows.
CREATE TABLE audit_heads (
  tenant_id uuid   NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  seq       bigint NOT NULL,
  hash      bytea  NOT NULL,
  CONSTRAINT audit_heads_pkey PRIMARY KEY (tenant_id),
  CONSTRAINT audit_heads_hash_check CHECK (octet_length(hash) = 32)
);

ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_heads
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
REVOKE INSERT, UPDATE, DELETE ON audit_heads FROM identity_api;

-- The one way in. Appends to the chain of the transaction's tenant and answers the entry's number. It has no way to
-- another tenant: the policies hold for its owner too.
GRANT SELECT, INSERT ON audit_log TO identity_relay;
GRANT SELECT, INSERT, UPDATE ON audit_heads TO identity_relay;

CREATE FUNCTION audit_append(
  entry_id uuid, entry_at timestamptz, actor_type text, actor_id uuid, impersonator_id uuid, action text,
  target_type text, target_id uuid, ip text, user_agent text, request_id text, result text, changes text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant    uuid := current_setting('app.tenant_id')::uuid;
  head      record;
  canonical text;
  digest    bytea;
BEGIN
  SELECT h.seq, h.hash INTO head FROM identity.audit_heads AS h WHERE h.tenant_id = tenant FOR UPDATE;
  IF NOT FOUND THEN
    INSERT INTO identity.audit_heads (tenant_id, seq, hash) VALUES (tenant, 0, decode(repeat('00', 32), 'hex'))
    ON CONFLICT DO NOTHING;
    SELECT h.seq, h.hash INTO head FROM identity.audit_heads AS h WHERE h.tenant_id = tenant FOR UPDATE;
  END IF;
  -- JSON without spaces, members in alphabetical order; to_json() of a text escapes as every JSON writer does.
  canonical := concat(
    '{"action":', to_json(action),
    ',"actor":{"id":', coalesce(to_json(actor_id)::text, 'null'),
    ',"impersonator":', coalesce(to_json(impersonator_id)::text, 'null'),
    ',"type":', to_json(actor_type),
    '},"at":"', to_char(entry_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    '","changes":', changes,
    ',"id":', to_json(entry_id),
    ',"ip":', coalesce(to_json(ip)::text, 'null'),
    ',"prev_hash":"', encode(head.hash, 'hex'),
    '","request_id":', coalesce(to_json(request_id)::text, 'null'),
    ',"result":', to_json(result),
    ',"seq":', head.seq + 1,
    ',"target":', CASE WHEN target_type IS NULL THEN 'null'
                       ELSE concat('{"id":', to_json(target_id), ',"type":', to_json(target_type), '}') END,
    ',"tenant_id":', to_json(tenant),
    ',"user_agent":', coalesce(to_json(user_agent)::text, 'null'),
    '}');
  digest := sha256(convert_to(canonical, 'UTF8'));
  INSERT INTO identity.audit_log
  VALUES (tenant, head.seq + 1, entry_id, entry_at, actor_type, actor_id, impersonator_id, action, target_type,
          target_id, ip, user_agent, request_id, result, changes, head.hash, digest);
  UPDATE identity.audit_heads AS h SET seq = head.seq + 1, hash = digest WHERE h.tenant_id = tenant;
  RETURN head.seq + 1;
END $$;

ALTER FUNCTION audit_append(uuid, timestamptz, text, uuid, uuid, text, text, uuid, text, text, text, text, text)
  OWNER TO identity_relay;
