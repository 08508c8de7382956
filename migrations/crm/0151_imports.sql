-- What an import (a job) has besides: the uploaded rows that wait, those that failed, what it wrote, and what a dry run
-- would have written.

-- Whole rows of the file as UTF-8, in the order of the file; a piece goes in the transaction in which its rows are
-- imported. Not compressed: it lives for seconds.
CREATE TABLE import_pieces (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  import_id   uuid        NOT NULL,
  n           integer     NOT NULL,
  first_row   bigint      NOT NULL,
  rows        integer     NOT NULL,
  content     bytea       NOT NULL,
  CONSTRAINT import_pieces_pkey PRIMARY KEY (tenant_id, import_id, n),
  CONSTRAINT import_pieces_import_fkey FOREIGN KEY (tenant_id, import_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
);
ALTER TABLE import_pieces ALTER COLUMN content SET STORAGE EXTERNAL;

ALTER TABLE import_pieces ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_pieces FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON import_pieces
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Rows that failed, with what is wrong and as they were sent.
CREATE TABLE import_errors (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  import_id   uuid        NOT NULL,
  row_number  bigint      NOT NULL,
  errors      jsonb       NOT NULL,
  cells       text[]      NOT NULL,
  CONSTRAINT import_errors_pkey PRIMARY KEY (tenant_id, import_id, row_number),
  CONSTRAINT import_errors_import_fkey FOREIGN KEY (tenant_id, import_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE import_errors ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_errors FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON import_errors
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- What was written: the version that the record had then, and for a changed one what clients had written before.
CREATE TABLE import_records (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  import_id   uuid        NOT NULL,
  record_id   uuid        NOT NULL,
  version     bigint      NOT NULL,
  before      jsonb,
  CONSTRAINT import_records_pkey PRIMARY KEY (tenant_id, import_id, record_id),
  CONSTRAINT import_records_import_fkey FOREIGN KEY (tenant_id, import_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE import_records ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_records FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON import_records
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- The keys that a dry run has met, so that it finds rows that are twice in the file.
CREATE TABLE import_keys (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  import_id   uuid        NOT NULL,
  key         text        NOT NULL,
  CONSTRAINT import_keys_pkey PRIMARY KEY (tenant_id, import_id, key),
  CONSTRAINT import_keys_import_fkey FOREIGN KEY (tenant_id, import_id) REFERENCES jobs (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE import_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE import_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON import_keys
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
