-- How far each sibling's feed was read. A feed has the events of all tenants, so this table has none.
CREATE TABLE feed_cursors (
  source     text        NOT NULL,
  cursor     text        NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT feed_cursors_pkey PRIMARY KEY (source)
);
