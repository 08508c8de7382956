-- Deals: what a customer may buy. `status` follows from the kind of the stage.
CREATE TABLE deals (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id           uuid        NOT NULL,
  name         text        NOT NULL,
  amount       numeric(20, 2),
  amount_currency text,
  pipeline_id  uuid        NOT NULL,
  stage_id     uuid        NOT NULL,
  position     double precision NOT NULL DEFAULT 0,
  company_id   uuid,
  contact_ids  uuid[]      NOT NULL DEFAULT '{}',
  lead_id      uuid,
  expected_close_date date,
  probability  smallint,
  status       text        NOT NULL DEFAULT 'open',
  lost_reason  text,
  description  text,
  stage_entered_at timestamptz NOT NULL,
  closed_at    timestamptz,
  last_activity_at timestamptz,
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
  CONSTRAINT deals_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT deals_pipeline_fkey FOREIGN KEY (tenant_id, pipeline_id) REFERENCES pipelines (tenant_id, id),
  CONSTRAINT deals_stage_fkey FOREIGN KEY (tenant_id, stage_id) REFERENCES stages (tenant_id, id),
  CONSTRAINT deals_company_fkey FOREIGN KEY (tenant_id, company_id) REFERENCES companies (tenant_id, id)
    ON DELETE SET NULL (company_id),
  CONSTRAINT deals_amount_check CHECK ((amount IS NULL) = (amount_currency IS NULL)),
  CONSTRAINT deals_probability_check CHECK (probability BETWEEN 0 AND 100),
  CONSTRAINT deals_status_check CHECK (status IN ('open', 'won', 'lost')),
  CONSTRAINT deals_closed_check CHECK ((status = 'open') = (closed_at IS NULL))
);

ALTER TABLE deals ENABLE ROW LEVEL SECURITY;
ALTER TABLE deals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON deals
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- The board: a stage's deals in their order.
CREATE INDEX deals_stage_idx ON deals (tenant_id, stage_id, position, id);
CREATE INDEX deals_pipeline_idx ON deals (tenant_id, pipeline_id, id);
CREATE INDEX deals_status_idx ON deals (tenant_id, status, id);
CREATE INDEX deals_company_idx ON deals (tenant_id, company_id, id) WHERE company_id IS NOT NULL;
CREATE INDEX deals_lead_idx ON deals (tenant_id, lead_id) WHERE lead_id IS NOT NULL;

-- Lists of one owner's records; find by the id that another system gave.
CREATE INDEX deals_owner_idx ON deals (tenant_id, owner_id, id) WHERE owner_id IS NOT NULL;
CREATE UNIQUE INDEX deals_external_id_key ON deals (tenant_id, external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;
-- The trash, and its emptying.
CREATE INDEX deals_deleted_idx ON deals (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;

-- The people of a deal, for the way from the person; `contact_ids` is the way from the deal and what clients write.
CREATE TABLE deal_contacts (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  contact_id  uuid        NOT NULL,
  deal_id     uuid        NOT NULL,
  CONSTRAINT deal_contacts_pkey PRIMARY KEY (tenant_id, contact_id, deal_id),
  CONSTRAINT deal_contacts_contact_fkey FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id)
    ON DELETE CASCADE,
  CONSTRAINT deal_contacts_deal_fkey FOREIGN KEY (tenant_id, deal_id) REFERENCES deals (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE deal_contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE deal_contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON deal_contacts
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX deal_contacts_deal_idx ON deal_contacts (tenant_id, deal_id);

CREATE TABLE deal_stage_history (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  deal_id     uuid        NOT NULL,
  from_stage  uuid,
  to_stage    uuid        NOT NULL,
  actor       uuid,
  at          timestamptz NOT NULL,
  CONSTRAINT deal_stage_history_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT deal_stage_history_deal_fkey FOREIGN KEY (tenant_id, deal_id) REFERENCES deals (tenant_id, id)
    ON DELETE CASCADE
);

ALTER TABLE deal_stage_history ENABLE ROW LEVEL SECURITY;
ALTER TABLE deal_stage_history FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON deal_stage_history
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX deal_stage_history_deal_idx ON deal_stage_history (tenant_id, deal_id, id);
