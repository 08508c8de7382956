-- Facts by day that another system has summed up: what an advertisement cost, how often a page was found. A source's day
-- is replaced as a whole, never added to: such systems restate their last days. Measures of money are in the currency's
-- smallest unit. entity is the digest of dims.
CREATE TABLE facts (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  dataset       text        NOT NULL,
  day           date        NOT NULL,
  source_id     uuid        NOT NULL,
  entity        text        NOT NULL,
  currency      text        NOT NULL DEFAULT '',
  dims          jsonb       NOT NULL,
  measures      jsonb       NOT NULL,
  loaded_at     timestamptz NOT NULL,
  CONSTRAINT facts_pkey PRIMARY KEY (tenant_id, dataset, day, source_id, entity, currency)
);

ALTER TABLE facts ENABLE ROW LEVEL SECURITY;
ALTER TABLE facts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON facts
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Orders of shops, by the shop's own number. A correction replaces the order.
CREATE TABLE orders (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  source_id      uuid        NOT NULL,
  order_id       text        NOT NULL,
  ordered_at     timestamptz NOT NULL,
  customer       text,
  currency       text        NOT NULL,
  units          bigint      NOT NULL DEFAULT 0,
  gross_minor    bigint      NOT NULL DEFAULT 0,
  discount_minor bigint      NOT NULL DEFAULT 0,
  refund_minor   bigint      NOT NULL DEFAULT 0,
  tax_minor      bigint      NOT NULL DEFAULT 0,
  shipping_minor bigint      NOT NULL DEFAULT 0,
  cost_minor     bigint      NOT NULL DEFAULT 0,
  -- Whether it counts as an order; a cancellation has refunds only.
  is_order       boolean     NOT NULL DEFAULT true,
  dims           jsonb       NOT NULL DEFAULT '{}',
  loaded_at      timestamptz NOT NULL,
  CONSTRAINT orders_pkey PRIMARY KEY (tenant_id, source_id, order_id)
);

ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON orders
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
CREATE INDEX orders_ordered_at_idx ON orders (tenant_id, ordered_at);
CREATE INDEX orders_customer_idx ON orders (tenant_id, customer, ordered_at);

CREATE TABLE order_lines (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  source_id      uuid        NOT NULL,
  order_id       text        NOT NULL,
  line           integer     NOT NULL,
  product        text        NOT NULL,
  description    text        NOT NULL DEFAULT '',
  quantity       bigint      NOT NULL,
  amount_minor   bigint      NOT NULL,
  CONSTRAINT order_lines_pkey PRIMARY KEY (tenant_id, source_id, order_id, line),
  CONSTRAINT order_lines_order_fkey FOREIGN KEY (tenant_id, source_id, order_id)
    REFERENCES orders (tenant_id, source_id, order_id) ON DELETE CASCADE
);

ALTER TABLE order_lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE order_lines FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON order_lines
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Deals as sales systems have them now, and when each came to a stage. source is 'crm' for the platform's own.
CREATE TABLE deals (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  source        text        NOT NULL,
  deal_id       text        NOT NULL,
  pipeline      text        NOT NULL DEFAULT '',
  stage         text        NOT NULL DEFAULT '',
  owner         text        NOT NULL DEFAULT '',
  currency      text        NOT NULL DEFAULT '',
  amount_minor  bigint      NOT NULL DEFAULT 0,
  probability   smallint    NOT NULL DEFAULT 0,
  outcome       text        NOT NULL DEFAULT 'open',
  created_at    timestamptz NOT NULL,
  closed_at     timestamptz,
  dims          jsonb       NOT NULL DEFAULT '{}',
  loaded_at     timestamptz NOT NULL,
  CONSTRAINT deals_pkey PRIMARY KEY (tenant_id, source, deal_id),
  CONSTRAINT deals_outcome_check CHECK (outcome IN ('open', 'won', 'lost')),
  CONSTRAINT deals_probability_check CHECK (probability BETWEEN 0 AND 100)
);

ALTER TABLE deals ENABLE ROW LEVEL SECURITY;
ALTER TABLE deals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON deals
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
CREATE INDEX deals_created_at_idx ON deals (tenant_id, created_at);
CREATE INDEX deals_closed_at_idx ON deals (tenant_id, closed_at);

CREATE TABLE deal_stages (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  source        text        NOT NULL,
  deal_id       text        NOT NULL,
  stage         text        NOT NULL,
  entered_at    timestamptz NOT NULL,
  CONSTRAINT deal_stages_pkey PRIMARY KEY (tenant_id, source, deal_id, stage, entered_at)
);

ALTER TABLE deal_stages ENABLE ROW LEVEL SECURITY;
ALTER TABLE deal_stages FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON deal_stages
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
CREATE INDEX deal_stages_entered_at_idx ON deal_stages (tenant_id, entered_at);
