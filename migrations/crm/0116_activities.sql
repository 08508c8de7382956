-- What happened with somebody: calls, mails, meetings, notes.
CREATE TABLE activities (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id           uuid        NOT NULL,
  type         text        NOT NULL,
  subject      text,
  body         text,
  occurred_at  timestamptz NOT NULL,
  duration_s   integer,
  direction    text,
  outcome      text,
  participants jsonb       NOT NULL DEFAULT '[]',
  owner_id     uuid,
  team_id      uuid,
  tags         text[]      NOT NULL DEFAULT '{}',
  custom       jsonb       NOT NULL DEFAULT '{}',
  external_id  text,
  created_by   uuid        NOT NULL,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  version      bigint      NOT NULL DEFAULT 1,
  deleted_at   timestamptz,
  merged_into  uuid,
  CONSTRAINT activities_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT activities_type_check CHECK (type IN ('call', 'email', 'meeting', 'note', 'visit', 'form', 'custom')),
  CONSTRAINT activities_direction_check CHECK (direction IN ('inbound', 'outbound')),
  CONSTRAINT activities_duration_check CHECK (duration_s >= 0)
);

ALTER TABLE activities ENABLE ROW LEVEL SECURITY;
ALTER TABLE activities FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON activities
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX activities_type_idx ON activities (tenant_id, type, id);
CREATE INDEX activities_occurred_idx ON activities (tenant_id, occurred_at, id);

-- Lists of one owner's records; find by the id that another system gave.
CREATE INDEX activities_owner_idx ON activities (tenant_id, owner_id, id) WHERE owner_id IS NOT NULL;
CREATE UNIQUE INDEX activities_external_id_key ON activities (tenant_id, external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;
-- The trash, and its emptying.
CREATE INDEX activities_deleted_idx ON activities (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;

-- What an activity or a to-do is about: any number of records of any type.
CREATE TABLE record_links (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  to_type     text        NOT NULL,
  to_id       uuid        NOT NULL,
  from_type   text        NOT NULL,
  from_id     uuid        NOT NULL,
  CONSTRAINT record_links_pkey PRIMARY KEY (tenant_id, to_type, to_id, from_type, from_id),
  CONSTRAINT record_links_to_type_check CHECK (to_type IN ('lead', 'contact', 'company', 'deal')),
  CONSTRAINT record_links_from_type_check CHECK (from_type IN ('activity', 'todo'))
);

ALTER TABLE record_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE record_links FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON record_links
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX record_links_from_idx ON record_links (tenant_id, from_type, from_id);
