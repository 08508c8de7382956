-- What was used of models, summed by day (UTC), user, crew (the zero id for none), provider and model.
CREATE TABLE usage_daily (
  tenant_id         uuid   NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  day               date   NOT NULL,
  user_id           uuid   NOT NULL,
  crew_id           uuid   NOT NULL,
  provider          text   NOT NULL,
  model             text   NOT NULL,
  calls             bigint NOT NULL,
  prompt_tokens     bigint NOT NULL,
  completion_tokens bigint NOT NULL,
  cost              bigint NOT NULL,
  CONSTRAINT usage_daily_pkey PRIMARY KEY (tenant_id, day, user_id, crew_id, provider, model)
);

ALTER TABLE usage_daily ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_daily FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON usage_daily
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
