-- Which load brought a row. A load comes in parts: parts of the same load are added up, and the first part of another one
-- replaces what was there. revision orders what a feed tells of a deal: an older telling does not undo a newer one.
ALTER TABLE orders ADD COLUMN load_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE deals ADD COLUMN revision bigint NOT NULL DEFAULT 0;
