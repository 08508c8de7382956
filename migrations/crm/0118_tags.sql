-- The tags of a tenant. A record has the names of its tags in `tags`; `record_tags` is the same for finding records by
-- tag and is written by the trigger `index_record` only.
CREATE TABLE tags (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  name        text        NOT NULL,
  color       text,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT tags_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT tags_name_key UNIQUE (tenant_id, name)
);

ALTER TABLE tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE tags FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tags
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE TABLE record_tags (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  record_type text        NOT NULL,
  tag         text        NOT NULL,
  record_id   uuid        NOT NULL,
  CONSTRAINT record_tags_pkey PRIMARY KEY (tenant_id, record_type, tag, record_id)
);

ALTER TABLE record_tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE record_tags FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON record_tags
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX record_tags_record_idx ON record_tags (tenant_id, record_id);
