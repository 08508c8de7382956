-- What was spent of a budget in a period. The most that a call can use is added before the call and corrected after it,
-- under the row's lock, so that calls side by side never overspend; a process that dies in between leaves the most.
-- `subject` is the user of a budget that holds for each user by itself, and the zero id otherwise.
CREATE TABLE spending (
  tenant_id    uuid   NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  budget_id    uuid   NOT NULL,
  subject      uuid   NOT NULL,
  period_start date   NOT NULL,
  tokens       bigint NOT NULL,
  cost         bigint NOT NULL,
  runs         bigint NOT NULL,
  CONSTRAINT spending_pkey PRIMARY KEY (tenant_id, budget_id, subject, period_start),
  CONSTRAINT spending_budget_fkey FOREIGN KEY (tenant_id, budget_id) REFERENCES budgets (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE spending ENABLE ROW LEVEL SECURITY;
ALTER TABLE spending FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON spending
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
