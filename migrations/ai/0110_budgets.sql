-- What a tenant lets its users and crews spend on models in a day or a month: tokens, money (in millionths), runs. A limit
-- that is null does not limit. A budget of scope 'user' without a subject holds for each user of the tenant by itself.
CREATE TABLE budgets (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id         uuid        NOT NULL,
  scope      text        NOT NULL,
  subject    uuid,
  period     text        NOT NULL,
  max_tokens bigint,
  max_cost   bigint,
  max_runs   bigint,
  hard       boolean     NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT budgets_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT budgets_scope_key UNIQUE NULLS NOT DISTINCT (tenant_id, scope, subject, period),
  CONSTRAINT budgets_scope_check CHECK (scope IN ('tenant', 'user', 'crew')),
  CONSTRAINT budgets_subject_check CHECK (CASE scope WHEN 'tenant' THEN subject IS NULL WHEN 'crew' THEN subject IS NOT NULL ELSE true END),
  CONSTRAINT budgets_period_check CHECK (period IN ('day', 'month')),
  CONSTRAINT budgets_limits_check CHECK (max_tokens >= 0 AND max_cost >= 0 AND max_runs >= 0),
  CONSTRAINT budgets_some_limit_check CHECK (num_nonnulls(max_tokens, max_cost, max_runs) > 0)
);

ALTER TABLE budgets ENABLE ROW LEVEL SECURITY;
ALTER TABLE budgets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON budgets
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
