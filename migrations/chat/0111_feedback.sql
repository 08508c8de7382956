-- What users think of answers: one word each about an answer of their own conversation.
CREATE TABLE feedback (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  message_id uuid        NOT NULL,
  user_id    uuid        NOT NULL,
  rating     text        NOT NULL,
  comment    text,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT feedback_pkey PRIMARY KEY (tenant_id, message_id),
  CONSTRAINT feedback_message_fkey FOREIGN KEY (tenant_id, message_id)
    REFERENCES messages (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT feedback_rating_check CHECK (rating IN ('up', 'down')),
  CONSTRAINT feedback_comment_check CHECK (char_length(comment) BETWEEN 1 AND 2000)
);

ALTER TABLE feedback ENABLE ROW LEVEL SECURITY;
ALTER TABLE feedback FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON feedback
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
