-- Merges of records, kept so that they can be undone. `changes` is what the merge made of the primary record, by field:
-- [before, after]. `merge_moves` has every other row that followed the merged records: what the place held before and after.
CREATE TABLE merges (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  record_type text        NOT NULL,
  primary_id  uuid        NOT NULL,
  other_ids   uuid[]      NOT NULL,
  changes     jsonb       NOT NULL,
  actor       uuid        NOT NULL,
  at          timestamptz NOT NULL,
  undone_at   timestamptz,
  conflicts   jsonb       NOT NULL DEFAULT '[]',
  CONSTRAINT merges_pkey PRIMARY KEY (tenant_id, id)
);

ALTER TABLE merges ENABLE ROW LEVEL SECURITY;
ALTER TABLE merges FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON merges
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX merges_primary_idx ON merges (tenant_id, primary_id, id);

CREATE TABLE merge_moves (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  merge_id    uuid        NOT NULL,
  place       text        NOT NULL,
  row_id      uuid        NOT NULL,
  before      jsonb       NOT NULL,
  after       jsonb       NOT NULL,
  CONSTRAINT merge_moves_pkey PRIMARY KEY (tenant_id, merge_id, place, row_id),
  CONSTRAINT merge_moves_merge_fkey FOREIGN KEY (tenant_id, merge_id) REFERENCES merges (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE merge_moves ENABLE ROW LEVEL SECURITY;
ALTER TABLE merge_moves FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON merge_moves
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- The leads that became a contact or a company, for when those are merged.
CREATE INDEX leads_contact_idx ON leads (tenant_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX leads_company_idx ON leads (tenant_id, company_id) WHERE company_id IS NOT NULL;
