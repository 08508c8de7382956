-- Rules that give new leads an owner, tried in the order of `position`. `turn` counts how often a rule was used: whose turn
-- it is follows from it, and the lock of its update makes that exact.
CREATE TABLE assignment_rules (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  name        text        NOT NULL,
  position    integer     NOT NULL,
  enabled     boolean     NOT NULL DEFAULT true,
  filter      jsonb,
  assign      jsonb       NOT NULL,
  turn        bigint      NOT NULL DEFAULT 0,
  created_by  uuid        NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT assignment_rules_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT assignment_rules_name_key UNIQUE (tenant_id, name)
);

ALTER TABLE assignment_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE assignment_rules FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON assignment_rules
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
