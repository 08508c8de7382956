-- Fields that a tenant adds to a type of record. A record has their values in `custom`, by key; `custom_values` is the
-- same for filtering and sorting, one typed column each, and is written by the trigger `index_record` only.
CREATE TABLE custom_fields (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  record_type text        NOT NULL,
  key         text        NOT NULL,
  label       text        NOT NULL,
  type        text        NOT NULL,
  options     text[]      NOT NULL DEFAULT '{}',
  required    boolean     NOT NULL DEFAULT false,
  is_unique   boolean     NOT NULL DEFAULT false,
  filterable  boolean     NOT NULL DEFAULT true,
  searchable  boolean     NOT NULL DEFAULT false,
  scoring     text        NOT NULL DEFAULT 'auto',
  position    integer     NOT NULL DEFAULT 0,
  created_at  timestamptz NOT NULL,
  updated_at  timestamptz NOT NULL,
  version     bigint      NOT NULL DEFAULT 1,
  CONSTRAINT custom_fields_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT custom_fields_key_key UNIQUE (tenant_id, record_type, key),
  CONSTRAINT custom_fields_record_type_check
    CHECK (record_type IN ('lead', 'contact', 'company', 'deal', 'activity', 'todo')),
  CONSTRAINT custom_fields_type_check CHECK (type IN ('text', 'number', 'boolean', 'date', 'datetime', 'select',
    'multi_select', 'url', 'email', 'phone')),
  CONSTRAINT custom_fields_scoring_check CHECK (scoring IN ('auto', 'include', 'exclude'))
);

ALTER TABLE custom_fields ENABLE ROW LEVEL SECURITY;
ALTER TABLE custom_fields FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON custom_fields
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE TABLE custom_values (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  field_id    uuid        NOT NULL,
  record_id   uuid        NOT NULL,
  value       text        NOT NULL,
  number      double precision,
  at          timestamptz,
  is_unique   boolean     NOT NULL DEFAULT false,
  CONSTRAINT custom_values_pkey PRIMARY KEY (tenant_id, field_id, record_id, value),
  CONSTRAINT custom_values_field_fkey FOREIGN KEY (tenant_id, field_id) REFERENCES custom_fields (tenant_id, id)
    ON DELETE CASCADE
);

ALTER TABLE custom_values ENABLE ROW LEVEL SECURITY;
ALTER TABLE custom_values FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON custom_values
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX custom_values_value_idx ON custom_values (tenant_id, field_id, value, record_id);
CREATE INDEX custom_values_number_idx ON custom_values (tenant_id, field_id, number, record_id) WHERE number IS NOT NULL;
CREATE INDEX custom_values_at_idx ON custom_values (tenant_id, field_id, at, record_id) WHERE at IS NOT NULL;
CREATE INDEX custom_values_record_idx ON custom_values (tenant_id, record_id);
CREATE UNIQUE INDEX custom_values_unique_key ON custom_values (tenant_id, field_id, value) WHERE is_unique;
