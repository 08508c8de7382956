-- Orders of lists that follow an index at any depth. Ids are time-ordered, so the order of creation needs none. Only
-- what is not in the trash is in them; those without a value are, because a list shows them last.
DROP INDEX leads_score_idx;
CREATE INDEX leads_score_idx ON leads (tenant_id, score, id) WHERE deleted_at IS NULL;
DROP INDEX leads_name_idx;
CREATE INDEX leads_name_idx ON leads (tenant_id, name_norm, id);
CREATE INDEX leads_updated_idx ON leads (tenant_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_activity_idx ON leads (tenant_id, last_activity_at, id) WHERE deleted_at IS NULL;

DROP INDEX contacts_name_idx;
CREATE INDEX contacts_name_idx ON contacts (tenant_id, name_norm, id);
CREATE INDEX contacts_updated_idx ON contacts (tenant_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_activity_idx ON contacts (tenant_id, last_activity_at, id) WHERE deleted_at IS NULL;

CREATE INDEX companies_updated_idx ON companies (tenant_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX companies_activity_idx ON companies (tenant_id, last_activity_at, id) WHERE deleted_at IS NULL;

-- The lists of those who see only what they own or created.
CREATE INDEX leads_creator_idx ON leads (tenant_id, created_by, id);
CREATE INDEX contacts_creator_idx ON contacts (tenant_id, created_by, id);
CREATE INDEX companies_creator_idx ON companies (tenant_id, created_by, id);
CREATE INDEX deals_creator_idx ON deals (tenant_id, created_by, id);
