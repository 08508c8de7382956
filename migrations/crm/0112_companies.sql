-- Organisations. `domain` is the main one, normalised; the others are in `domains`.
CREATE TABLE companies (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id           uuid        NOT NULL,
  name         text        NOT NULL,
  name_norm    text        NOT NULL,
  domain       text,
  domains      text[]      NOT NULL DEFAULT '{}',
  website      text,
  phone        text,
  phone_norm   text,
  industry     text,
  employees    integer,
  annual_revenue          numeric(20, 2),
  annual_revenue_currency text,
  parent_id    uuid,
  street       text,
  city         text,
  region       text,
  postal_code  text,
  country      text,
  description  text,
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
  CONSTRAINT companies_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT companies_parent_fkey FOREIGN KEY (tenant_id, parent_id) REFERENCES companies (tenant_id, id)
    ON DELETE SET NULL (parent_id),
  CONSTRAINT companies_parent_check CHECK (parent_id <> id),
  CONSTRAINT companies_employees_check CHECK (employees >= 0),
  CONSTRAINT companies_revenue_currency_check CHECK ((annual_revenue IS NULL) = (annual_revenue_currency IS NULL))
);

ALTER TABLE companies ENABLE ROW LEVEL SECURITY;
ALTER TABLE companies FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON companies
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX companies_name_idx ON companies (tenant_id, name_norm, id);
CREATE INDEX companies_domain_idx ON companies (tenant_id, domain) WHERE domain IS NOT NULL;
CREATE INDEX companies_phone_idx ON companies (tenant_id, phone_norm) WHERE phone_norm IS NOT NULL;
CREATE INDEX companies_parent_idx ON companies (tenant_id, parent_id) WHERE parent_id IS NOT NULL;

-- Lists of one owner's records; find by the id that another system gave.
CREATE INDEX companies_owner_idx ON companies (tenant_id, owner_id, id) WHERE owner_id IS NOT NULL;
CREATE UNIQUE INDEX companies_external_id_key ON companies (tenant_id, external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;
-- The trash, and its emptying.
CREATE INDEX companies_deleted_idx ON companies (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;
