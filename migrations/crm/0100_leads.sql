-- Potential customers. The e-mail is also kept normalised in a plain column, because only leakproof operators
-- (text equality) can use an index under row-level security.
CREATE TABLE leads (
  tenant_id    uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id           uuid        NOT NULL,
  first_name   text,
  last_name    text,
  email        text,
  email_norm   text,
  phone        text,
  company_name text,
  title        text,
  website      text,
  industry     text,
  employees    integer,
  country      text,
  city         text,
  source       text,
  status       text        NOT NULL DEFAULT 'new',
  created_by   uuid        NOT NULL,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  version      bigint      NOT NULL DEFAULT 1,
  CONSTRAINT leads_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT leads_status_check
    CHECK (status IN ('new', 'working', 'nurturing', 'qualified', 'unqualified', 'converted')),
  CONSTRAINT leads_employees_check CHECK (employees >= 0),
  CONSTRAINT leads_named_check CHECK (coalesce(first_name, last_name, email, company_name) IS NOT NULL)
);

ALTER TABLE leads ENABLE ROW LEVEL SECURITY;
ALTER TABLE leads FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON leads
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- List filtered by status, newest first (ids are time-ordered).
CREATE INDEX leads_status_idx ON leads (tenant_id, status, id);
-- Find by address.
CREATE INDEX leads_email_idx ON leads (tenant_id, email_norm) WHERE email_norm IS NOT NULL;
