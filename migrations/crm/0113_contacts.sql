-- People. The first e-mail address and phone number are the primary ones and are kept normalised beside the lists.
CREATE TABLE contacts (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id           uuid        NOT NULL,
  first_name   text,
  last_name    text,
  name_norm    text,
  email        text,
  email_norm   text,
  emails       jsonb       NOT NULL DEFAULT '[]',
  phone        text,
  phone_norm   text,
  phones       jsonb       NOT NULL DEFAULT '[]',
  title        text,
  company_id   uuid,
  website      text,
  street       text,
  city         text,
  region       text,
  postal_code  text,
  country      text,
  birthday     date,
  do_not_contact boolean   NOT NULL DEFAULT false,
  consent      jsonb       NOT NULL DEFAULT '{}',
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
  CONSTRAINT contacts_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT contacts_company_fkey FOREIGN KEY (tenant_id, company_id) REFERENCES companies (tenant_id, id)
    ON DELETE SET NULL (company_id),
  CONSTRAINT contacts_named_check CHECK (coalesce(first_name, last_name, email) IS NOT NULL)
);

ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON contacts
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX contacts_name_idx ON contacts (tenant_id, name_norm, id) WHERE name_norm IS NOT NULL;
CREATE INDEX contacts_email_idx ON contacts (tenant_id, email_norm) WHERE email_norm IS NOT NULL;
CREATE INDEX contacts_phone_idx ON contacts (tenant_id, phone_norm) WHERE phone_norm IS NOT NULL;
CREATE INDEX contacts_company_idx ON contacts (tenant_id, company_id, id) WHERE company_id IS NOT NULL;

-- Lists of one owner's records; find by the id that another system gave.
CREATE INDEX contacts_owner_idx ON contacts (tenant_id, owner_id, id) WHERE owner_id IS NOT NULL;
CREATE UNIQUE INDEX contacts_external_id_key ON contacts (tenant_id, external_id) WHERE external_id IS NOT NULL AND deleted_at IS NULL;
-- The trash, and its emptying.
CREATE INDEX contacts_deleted_idx ON contacts (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;
