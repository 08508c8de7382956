-- Counting everything of a tenant again goes through its days as erasing an actor does, and the same worker does it: an order of
-- the kind 'rebuild' erases nobody. A tenant has at most one that is not done.
ALTER TABLE event_erasures ADD COLUMN kind text NOT NULL DEFAULT 'erasure';
ALTER TABLE event_erasures DROP CONSTRAINT event_erasures_actor_check;
ALTER TABLE event_erasures ADD CONSTRAINT event_erasures_kind_check CHECK (kind IN ('erasure', 'rebuild'));
ALTER TABLE event_erasures ADD CONSTRAINT event_erasures_actor_check
  CHECK ((actor_id IS NOT NULL) = (kind = 'erasure' AND status <> 'succeeded'));
CREATE UNIQUE INDEX event_erasures_rebuild_key ON event_erasures (tenant_id) WHERE kind = 'rebuild' AND status <> 'succeeded';
