-- What a to-do has beyond its title: who does it, when to be reminded, how it comes again, where it stands in a list.
-- `owner_id` is who it is assigned to.
ALTER TABLE todos
  ADD COLUMN owner_id    uuid,
  ADD COLUMN team_id     uuid,
  ADD COLUMN tags        text[]  NOT NULL DEFAULT '{}',
  ADD COLUMN custom      jsonb   NOT NULL DEFAULT '{}',
  ADD COLUMN external_id text,
  ADD COLUMN deleted_at  timestamptz,
  ADD COLUMN merged_into uuid,
  ADD COLUMN remind_at   timestamptz,
  ADD COLUMN reminded_at timestamptz,
  ADD COLUMN recurrence  text,
  ADD COLUMN time_zone   text,
  ADD COLUMN series_id   uuid,
  ADD COLUMN position    double precision NOT NULL DEFAULT 0,
  ADD COLUMN source      text,
  ADD COLUMN links       jsonb NOT NULL DEFAULT '[]';

ALTER TABLE activities ADD COLUMN links jsonb NOT NULL DEFAULT '[]';

-- Lists of one owner's records; find by the id that another system gave.
CREATE INDEX todos_owner_idx ON todos (tenant_id, owner_id, id) WHERE owner_id IS NOT NULL;
CREATE UNIQUE INDEX todos_external_id_key ON todos (tenant_id, external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;
-- The trash, and its emptying.
CREATE INDEX todos_deleted_idx ON todos (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;

CREATE INDEX todos_due_at_idx ON todos (tenant_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX todos_due_date_idx ON todos (tenant_id, due_date, id) WHERE due_date IS NOT NULL;
CREATE INDEX todos_remind_idx ON todos (tenant_id, remind_at) WHERE remind_at IS NOT NULL AND reminded_at IS NULL;
