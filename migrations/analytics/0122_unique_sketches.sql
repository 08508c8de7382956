-- How many different actors and sessions there were on a local day, by name of event and over all names (''): sketches
-- of `datasketches` (HLL, 4,096 registers). They can be merged over days and made again from the events.
CREATE TABLE unique_sketches (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  zone          text        NOT NULL,
  kind          text        NOT NULL,
  name          text        NOT NULL,
  day           date        NOT NULL,
  sketch        bytea       NOT NULL,
  CONSTRAINT unique_sketches_pkey PRIMARY KEY (tenant_id, zone, kind, name, day),
  CONSTRAINT unique_sketches_kind_check CHECK (kind IN ('actor', 'session'))
);
-- Sketches do not compress, and are read and written as a whole: beside the row, not away from it.
ALTER TABLE unique_sketches ALTER COLUMN sketch SET STORAGE EXTERNAL;
ALTER TABLE unique_sketches SET (toast_tuple_target = 8160);

-- How often counts and sketches were made again from the events: what a process remembers of a sketch from before is void.
ALTER TABLE tenant_data ADD COLUMN rebuilds bigint NOT NULL DEFAULT 0;

ALTER TABLE unique_sketches ENABLE ROW LEVEL SECURITY;
ALTER TABLE unique_sketches FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON unique_sketches
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
