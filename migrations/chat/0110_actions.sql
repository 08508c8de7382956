-- What was done in the CRM, with what takes it back. The id is that of the question when one was asked first. `undo` has the
-- steps back with the versions that the records had afterwards; empty when it cannot be taken back.
CREATE TABLE actions (
  tenant_id       uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id              uuid        NOT NULL,
  conversation_id uuid        NOT NULL,
  user_id         uuid        NOT NULL,
  message_id      uuid        NOT NULL,
  action          jsonb       NOT NULL,
  undo            jsonb       NOT NULL,
  status          text        NOT NULL DEFAULT 'done',
  created_at      timestamptz NOT NULL,
  undone_at       timestamptz,
  CONSTRAINT actions_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT actions_conversation_fkey FOREIGN KEY (tenant_id, conversation_id)
    REFERENCES conversations (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT actions_status_check CHECK (status IN ('done', 'undone')),
  CONSTRAINT actions_undone_check CHECK ((status = 'undone') = (undone_at IS NOT NULL))
);

ALTER TABLE actions ENABLE ROW LEVEL SECURITY;
ALTER TABLE actions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON actions
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- The last thing done in a conversation, and what goes when the conversation does.
CREATE INDEX actions_conversation_idx ON actions (tenant_id, conversation_id, id);
