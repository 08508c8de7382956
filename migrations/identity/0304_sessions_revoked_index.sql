-- The retention job looks for sessions that expired or were ended before an instant. The first has an index; without one for
-- the second it reads the whole table each time, most of all when there is nothing to delete.
CREATE INDEX sessions_revoked_idx ON sessions (tenant_id, revoked_at) WHERE revoked_at IS NOT NULL;
