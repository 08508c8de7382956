-- To-dos. Due either at an instant (due_at) or on a day (due_date), never both.
CREATE TABLE todos (
  tenant_id    uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id           uuid        NOT NULL,
  title        text        NOT NULL,
  description  text,
  status       text        NOT NULL DEFAULT 'open',
  priority     text        NOT NULL DEFAULT 'normal',
  due_at       timestamptz,
  due_date     date,
  completed_at timestamptz,
  created_by   uuid        NOT NULL,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  version      bigint      NOT NULL DEFAULT 1,
  CONSTRAINT todos_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT todos_status_check CHECK (status IN ('open', 'in_progress', 'done', 'cancelled')),
  CONSTRAINT todos_priority_check CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
  CONSTRAINT todos_one_due_check CHECK (due_at IS NULL OR due_date IS NULL),
  CONSTRAINT todos_completed_check CHECK ((status = 'done') = (completed_at IS NOT NULL))
);

ALTER TABLE todos ENABLE ROW LEVEL SECURITY;
ALTER TABLE todos FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON todos
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- List filtered by status, newest first (ids are time-ordered).
CREATE INDEX todos_status_idx ON todos (tenant_id, status, id);
