-- What an agent remembers of a user: facts by their keys. Few a user and agent, so that they are compared one by one; a vector is
-- there when a model made one.
CREATE TABLE memories (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id         uuid        NOT NULL,
  user_id    uuid        NOT NULL,
  agent      text        NOT NULL,
  key        text        NOT NULL,
  text       text        NOT NULL,
  model      text,
  embedding  public.vector,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT memories_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT memories_key_key UNIQUE (tenant_id, user_id, agent, key),
  CONSTRAINT memories_model_check CHECK ((model IS NULL) = (embedding IS NULL))
);

ALTER TABLE memories ENABLE ROW LEVEL SECURITY;
ALTER TABLE memories FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON memories
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX memories_user_idx ON memories (tenant_id, user_id, id);
