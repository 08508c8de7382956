-- How a tenant scores its leads. `settings` and `rules` are read by the service only; no row means the defaults.
CREATE TABLE scoring_settings (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  settings      jsonb       NOT NULL DEFAULT '{}',
  rules         jsonb,
  rules_version integer     NOT NULL DEFAULT 1,
  drift         jsonb,
  next_retrain_at timestamptz,
  updated_at    timestamptz NOT NULL,
  version       bigint      NOT NULL DEFAULT 1,
  CONSTRAINT scoring_settings_pkey PRIMARY KEY (tenant_id)
);

ALTER TABLE scoring_settings ENABLE ROW LEVEL SECURITY;
ALTER TABLE scoring_settings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON scoring_settings
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- What came of each training. `bytes` is the model's file; a training that found fixed rules better has none. The newest
-- versions keep their file, so that an older one can be made active again.
CREATE TABLE scoring_models (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  version     integer     NOT NULL,
  name        text        NOT NULL,
  mode        text        NOT NULL,
  bytes       bytea,
  card        jsonb       NOT NULL,
  active      boolean     NOT NULL DEFAULT false,
  trained_at  timestamptz NOT NULL,
  CONSTRAINT scoring_models_pkey PRIMARY KEY (tenant_id, version),
  CONSTRAINT scoring_models_mode_check CHECK (mode IN ('rules', 'logistic', 'gbdt'))
);

ALTER TABLE scoring_models ENABLE ROW LEVEL SECURITY;
ALTER TABLE scoring_models FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON scoring_models
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE UNIQUE INDEX scoring_models_active_key ON scoring_models (tenant_id) WHERE active;

-- Trainings: at most one of a tenant waits or runs. A running one is held by a lease; when that runs out, because the
-- process has ended, another process does it again.
CREATE TABLE scoring_trainings (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id            uuid        NOT NULL,
  status        text        NOT NULL DEFAULT 'queued',
  reason        text        NOT NULL,
  requested_by  uuid,
  attempts      integer     NOT NULL DEFAULT 0,
  lease_until   timestamptz,
  model_version integer,
  activated     boolean,
  outcome       text,
  created_at    timestamptz NOT NULL,
  started_at    timestamptz,
  finished_at   timestamptz,
  CONSTRAINT scoring_trainings_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT scoring_trainings_status_check CHECK (status IN ('done', 'failed', 'queued', 'running')),
  CONSTRAINT scoring_trainings_reason_check CHECK (reason IN ('requested', 'schedule', 'outcomes', 'drift', 'first'))
);

ALTER TABLE scoring_trainings ENABLE ROW LEVEL SECURITY;
ALTER TABLE scoring_trainings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON scoring_trainings
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE UNIQUE INDEX scoring_trainings_one_key ON scoring_trainings (tenant_id) WHERE status IN ('queued', 'running');

-- Work on all leads of a tenant: `rescore` goes through them in order of their ids and is deleted at the end; `nightly`
-- comes up each day. `generation` tells a worker that the work was ordered anew while it did it.
CREATE TABLE scoring_work (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  kind        text        NOT NULL,
  due_at      timestamptz NOT NULL,
  position    uuid,
  generation  bigint      NOT NULL DEFAULT 1,
  CONSTRAINT scoring_work_pkey PRIMARY KEY (tenant_id, kind),
  CONSTRAINT scoring_work_kind_check CHECK (kind IN ('nightly', 'rescore'))
);

ALTER TABLE scoring_work ENABLE ROW LEVEL SECURITY;
ALTER TABLE scoring_work FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON scoring_work
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Every score that a lead had, when it differs from the one before.
CREATE TABLE lead_scores (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  lead_id       uuid        NOT NULL,
  id            uuid        NOT NULL,
  score         smallint    NOT NULL,
  grade         text        NOT NULL,
  probability   double precision NOT NULL,
  mode          text        NOT NULL,
  model_version text        NOT NULL,
  scored_at     timestamptz NOT NULL,
  CONSTRAINT lead_scores_pkey PRIMARY KEY (tenant_id, lead_id, id),
  CONSTRAINT lead_scores_lead_fkey FOREIGN KEY (tenant_id, lead_id) REFERENCES leads (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT lead_scores_score_check CHECK (score BETWEEN 0 AND 100),
  CONSTRAINT lead_scores_grade_check CHECK (grade IN ('A', 'B', 'C', 'D')),
  CONSTRAINT lead_scores_mode_check CHECK (mode IN ('rules', 'logistic', 'gbdt'))
);

ALTER TABLE lead_scores ENABLE ROW LEVEL SECURITY;
ALTER TABLE lead_scores FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON lead_scores
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
