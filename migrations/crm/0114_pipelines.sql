-- Pipelines and their stages: how a deal goes from open to won or lost.
CREATE TABLE pipelines (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  name        text        NOT NULL,
  is_default  boolean     NOT NULL DEFAULT false,
  created_by  uuid        NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT pipelines_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT pipelines_name_key UNIQUE (tenant_id, name)
);

ALTER TABLE pipelines ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipelines FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON pipelines
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE UNIQUE INDEX pipelines_default_key ON pipelines (tenant_id) WHERE is_default;

CREATE TABLE stages (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id              uuid     NOT NULL,
  pipeline_id     uuid     NOT NULL,
  name            text     NOT NULL,
  position        integer  NOT NULL,
  kind            text     NOT NULL DEFAULT 'open',
  probability     smallint NOT NULL,
  rot_days        integer,
  required_fields text[]   NOT NULL DEFAULT '{}',
  CONSTRAINT stages_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT stages_pipeline_fkey FOREIGN KEY (tenant_id, pipeline_id) REFERENCES pipelines (tenant_id, id)
    ON DELETE CASCADE,
  CONSTRAINT stages_position_key UNIQUE (tenant_id, pipeline_id, position) DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT stages_name_key UNIQUE (tenant_id, pipeline_id, name) DEFERRABLE INITIALLY IMMEDIATE,
  CONSTRAINT stages_kind_check CHECK (kind IN ('open', 'won', 'lost')),
  CONSTRAINT stages_probability_check CHECK (probability BETWEEN 0 AND 100),
  CONSTRAINT stages_rot_days_check CHECK (rot_days > 0)
);

ALTER TABLE stages ENABLE ROW LEVEL SECURITY;
ALTER TABLE stages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON stages
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
