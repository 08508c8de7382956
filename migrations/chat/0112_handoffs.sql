-- Conversations that were handed to a person: the to-do in the CRM tells that person.
CREATE TABLE handoffs (
  tenant_id       uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id              uuid        NOT NULL,
  conversation_id uuid        NOT NULL,
  user_id         uuid        NOT NULL,
  reason          text,
  todo_id         uuid        NOT NULL,
  created_at      timestamptz NOT NULL,
  CONSTRAINT handoffs_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT handoffs_conversation_fkey FOREIGN KEY (tenant_id, conversation_id)
    REFERENCES conversations (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT handoffs_reason_check CHECK (char_length(reason) BETWEEN 1 AND 2000)
);

ALTER TABLE handoffs ENABLE ROW LEVEL SECURITY;
ALTER TABLE handoffs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON handoffs
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- A conversation is handed over once: asking again answers the same.
CREATE UNIQUE INDEX handoffs_conversation_key ON handoffs (tenant_id, conversation_id);
