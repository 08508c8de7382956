-- Who did what. Rows are only ever added.
CREATE TABLE audit_log (
  tenant_id       uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
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
  changes         jsonb       NOT NULL,
  CONSTRAINT audit_log_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT audit_log_actor_type_check CHECK (actor_type IN ('user', 'service_account', 'anonymous', 'system')),
  CONSTRAINT audit_log_result_check CHECK (result IN ('success', 'failure'))
);

ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_log FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON audit_log
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
REVOKE UPDATE, DELETE ON audit_log FROM identity_api;
