-- A session in which somebody acts in its user's name, who that is and why. It has no refresh token: it ends when its
-- only access token does.
ALTER TABLE sessions
  ADD COLUMN impersonator_id      uuid,
  ADD COLUMN impersonation_reason text,
  ADD CONSTRAINT sessions_impersonator_fkey FOREIGN KEY (tenant_id, impersonator_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  ADD CONSTRAINT sessions_impersonation_check CHECK ((impersonator_id IS NULL) = (impersonation_reason IS NULL)),
  ADD CONSTRAINT sessions_impersonation_reason_check CHECK (char_length(impersonation_reason) BETWEEN 1 AND 500);

-- In whose name somebody acts, and the target of the foreign key's cascade.
CREATE INDEX sessions_impersonator_idx ON sessions (tenant_id, impersonator_id) WHERE impersonator_id IS NOT NULL;
