-- Conversations. Each belongs to one user; nobody else of the tenant reads it.
CREATE TABLE conversations (
  tenant_id       uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id              uuid        NOT NULL,
  user_id         uuid        NOT NULL,
  title           text        NOT NULL,
  time_zone       text        NOT NULL,
  created_at      timestamptz NOT NULL,
  last_message_at timestamptz NOT NULL,
  CONSTRAINT conversations_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT conversations_title_check CHECK (char_length(title) BETWEEN 1 AND 100)
);

ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
ALTER TABLE conversations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON conversations
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- A user's conversations, newest first (ids are time-ordered).
CREATE INDEX conversations_user_idx ON conversations (tenant_id, user_id, id);
