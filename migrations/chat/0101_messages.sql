-- What was said. An answer names the message it answers and keeps the whole answer as the client got it, so that the
-- same message sent again gets the same answer.
CREATE TABLE messages (
  tenant_id       uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id              uuid        NOT NULL,
  seq             bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
  conversation_id uuid        NOT NULL,
  user_id         uuid        NOT NULL,
  role            text        NOT NULL,
  body            text        NOT NULL,
  reply_to        uuid,
  answer          jsonb,
  client_key      text,
  request_hash    bytea,
  created_at      timestamptz NOT NULL,
  CONSTRAINT messages_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT messages_conversation_fkey FOREIGN KEY (tenant_id, conversation_id)
    REFERENCES conversations (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT messages_role_check CHECK (role IN ('user', 'assistant')),
  CONSTRAINT messages_answer_check CHECK ((role = 'assistant') = (answer IS NOT NULL AND reply_to IS NOT NULL)),
  CONSTRAINT messages_client_key_check CHECK ((client_key IS NULL) = (request_hash IS NULL))
);

ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON messages
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- A conversation in the order in which it was held; two messages may fall into one millisecond, so ids do not order them.
CREATE INDEX messages_conversation_idx ON messages (tenant_id, conversation_id, seq);
-- One message per Idempotency-Key of a user, and one answer per message.
CREATE UNIQUE INDEX messages_client_key ON messages (tenant_id, user_id, client_key) WHERE client_key IS NOT NULL;
CREATE UNIQUE INDEX messages_reply_key ON messages (tenant_id, reply_to) WHERE reply_to IS NOT NULL;
