-- Beside the Ed25519 key of access tokens there is an RSA key of ID tokens, which OpenID Connect makes mandatory. Each
-- algorithm has one key that signs and one that waits.
ALTER TABLE signing_keys DROP CONSTRAINT signing_keys_algorithm_check;
ALTER TABLE signing_keys ADD CONSTRAINT signing_keys_algorithm_check CHECK (algorithm IN ('EdDSA', 'RS256'));

DROP INDEX signing_keys_state_key;
CREATE UNIQUE INDEX signing_keys_state_key ON signing_keys (algorithm, state) WHERE state IN ('next', 'active');
