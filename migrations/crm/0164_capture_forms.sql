-- Forms on the tenants' own sites, whose submissions become leads. The key is in the page for everybody to read: it names the
-- form and is no secret; what may be done with it is to submit.
CREATE TABLE capture_forms (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  key         text        NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
  name        text        NOT NULL,
  enabled     boolean     NOT NULL DEFAULT true,
  settings    jsonb       NOT NULL,
  created_by  uuid        NOT NULL,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT capture_forms_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT capture_forms_name_key UNIQUE (tenant_id, name)
);

ALTER TABLE capture_forms ENABLE ROW LEVEL SECURITY;
ALTER TABLE capture_forms FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON capture_forms
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE UNIQUE INDEX capture_forms_key_key ON capture_forms (key);

GRANT SELECT ON capture_forms TO {{schema}}_relay;
CREATE POLICY directory ON capture_forms FOR SELECT TO {{schema}}_relay USING (true);

-- The tenant and the form of a key, or null: a submission names no tenant.
CREATE FUNCTION capture_form_of_key(wanted text) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT f.tenant_id, f.id FROM {{schema}}.capture_forms AS f WHERE f.key = wanted;
END;

ALTER FUNCTION capture_form_of_key(text) OWNER TO {{schema}}_relay;

-- What was submitted, once: the same submission again, by its key, makes nothing.
CREATE TABLE capture_submissions (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  form_id     uuid        NOT NULL,
  submission  text        NOT NULL,
  lead_id     uuid,
  email_norm  text,
  fields      jsonb       NOT NULL,
  consent     jsonb       NOT NULL DEFAULT '{}',
  received_at timestamptz NOT NULL,
  CONSTRAINT capture_submissions_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT capture_submissions_once_key UNIQUE (tenant_id, form_id, submission),
  CONSTRAINT capture_submissions_form_fkey FOREIGN KEY (tenant_id, form_id) REFERENCES capture_forms (tenant_id, id)
    ON DELETE CASCADE
);

ALTER TABLE capture_submissions ENABLE ROW LEVEL SECURITY;
ALTER TABLE capture_submissions FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON capture_submissions
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX capture_submissions_lead_idx ON capture_submissions (tenant_id, lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX capture_submissions_email_idx ON capture_submissions (tenant_id, email_norm) WHERE email_norm IS NOT NULL;
