-- What one person did.
CREATE INDEX record_changes_actor_idx ON record_changes (tenant_id, actor, id);
