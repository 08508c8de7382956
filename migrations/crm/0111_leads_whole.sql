-- What a lead has beyond name and address. Normalised texts are columns of their own, because only equality and order
-- of plain columns can use an index under row-level security. `name_norm` is first and last name, lower case, without
-- accents; `phone_norm` the digits of the phone number; `domain_norm` the domain of website or address.
ALTER TABLE leads
  ADD COLUMN owner_id    uuid,
  ADD COLUMN team_id     uuid,
  ADD COLUMN tags        text[]  NOT NULL DEFAULT '{}',
  ADD COLUMN custom      jsonb   NOT NULL DEFAULT '{}',
  ADD COLUMN external_id text,
  ADD COLUMN deleted_at  timestamptz,
  ADD COLUMN merged_into uuid,
  ADD COLUMN phone_norm              text,
  ADD COLUMN name_norm               text,
  ADD COLUMN domain_norm             text,
  ADD COLUMN annual_revenue          numeric(20, 2),
  ADD COLUMN annual_revenue_currency text,
  ADD COLUMN campaign                text,
  ADD COLUMN utm                     jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN unqualified_reason      text,
  ADD COLUMN consent                 jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN last_activity_at        timestamptz,
  ADD COLUMN score                   smallint,
  ADD COLUMN grade                   text,
  ADD COLUMN score_mode              text,
  ADD COLUMN probability             double precision,
  ADD COLUMN scored_at               timestamptz,
  ADD COLUMN outcome                 text,
  ADD COLUMN outcome_at              timestamptz,
  ADD COLUMN converted_at            timestamptz,
  ADD COLUMN contact_id              uuid,
  ADD COLUMN company_id              uuid,
  ADD COLUMN deal_id                 uuid,
  ADD CONSTRAINT leads_revenue_currency_check CHECK ((annual_revenue IS NULL) = (annual_revenue_currency IS NULL)),
  ADD CONSTRAINT leads_grade_check CHECK (grade IN ('A', 'B', 'C', 'D')),
  ADD CONSTRAINT leads_score_check CHECK (score BETWEEN 0 AND 100),
  ADD CONSTRAINT leads_score_mode_check CHECK (score_mode IN ('rules', 'logistic', 'gbdt')),
  ADD CONSTRAINT leads_outcome_check CHECK (outcome IN ('won', 'lost')),
  ADD CONSTRAINT leads_outcome_at_check CHECK ((outcome IS NULL) = (outcome_at IS NULL));

-- Lists of one owner's records; find by the id that another system gave.
CREATE INDEX leads_owner_idx ON leads (tenant_id, owner_id, id) WHERE owner_id IS NOT NULL;
CREATE UNIQUE INDEX leads_external_id_key ON leads (tenant_id, external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;
-- The trash, and its emptying.
CREATE INDEX leads_deleted_idx ON leads (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;

-- Candidates for duplicates.
CREATE INDEX leads_phone_idx ON leads (tenant_id, phone_norm) WHERE phone_norm IS NOT NULL;
CREATE INDEX leads_name_idx ON leads (tenant_id, name_norm) WHERE name_norm IS NOT NULL;
CREATE INDEX leads_domain_idx ON leads (tenant_id, domain_norm) WHERE domain_norm IS NOT NULL;
-- Who should be called today: open leads by score.
CREATE INDEX leads_score_idx ON leads (tenant_id, score, id) WHERE score IS NOT NULL AND deleted_at IS NULL;
-- What a model learns from.
CREATE INDEX leads_outcome_idx ON leads (tenant_id, outcome_at) WHERE outcome IS NOT NULL;
