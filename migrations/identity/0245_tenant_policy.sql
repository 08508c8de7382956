-- What a tenant asks of those who work in it. Members that are missing have their defaults.
ALTER TABLE tenants
  ADD COLUMN policy jsonb NOT NULL DEFAULT '{}',
  ADD CONSTRAINT tenants_policy_check CHECK (jsonb_typeof(policy) = 'object');
