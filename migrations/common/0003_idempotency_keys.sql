-- What a request with an Idempotency-Key was answered, so that sending it again changes nothing. Status and body are
-- null while the first request is at work, which only its own transaction sees.
CREATE TABLE idempotency_keys (
  tenant_id    uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  user_id      uuid        NOT NULL,
  operation    text        NOT NULL,
  key          text        NOT NULL,
  request_hash bytea       NOT NULL,
  status       smallint,
  body         bytea,
  created_at   timestamptz NOT NULL,
  CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, user_id, operation, key),
  CONSTRAINT idempotency_keys_key_check CHECK (char_length(key) BETWEEN 1 AND 255),
  CONSTRAINT idempotency_keys_answer_check CHECK ((status IS NULL) = (body IS NULL))
);

-- Old keys, for the retention job.
CREATE INDEX idempotency_keys_age_idx ON idempotency_keys (tenant_id, created_at);

ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON idempotency_keys
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
