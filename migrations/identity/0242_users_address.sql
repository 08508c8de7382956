-- no-transaction
-- The tenants of one address, for whoever forgot them.
CREATE INDEX CONCURRENTLY users_address_idx ON users (email);
