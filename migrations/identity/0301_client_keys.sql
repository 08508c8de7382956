-- Clients that show who they are by a signature instead of a secret (RFC 7523, `private_key_jwt`): their public keys as a
-- JSON Web Key Set. And where an application wants to be told that one of its sessions has ended.
ALTER TABLE oauth_clients ADD COLUMN jwks jsonb;
ALTER TABLE oauth_clients ADD COLUMN backchannel_logout_uri text;
ALTER TABLE oauth_clients DROP CONSTRAINT oauth_clients_method_check;
ALTER TABLE oauth_clients DROP CONSTRAINT oauth_clients_secret_check;
ALTER TABLE oauth_clients ADD CONSTRAINT oauth_clients_method_check
  CHECK (token_endpoint_auth_method IN ('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none')) NOT VALID;
ALTER TABLE oauth_clients ADD CONSTRAINT oauth_clients_secret_check
  CHECK ((token_endpoint_auth_method IN ('none', 'private_key_jwt')) = (secret_hash IS NULL)) NOT VALID;
ALTER TABLE oauth_clients ADD CONSTRAINT oauth_clients_keys_check
  CHECK ((token_endpoint_auth_method = 'private_key_jwt') = (jwks IS NOT NULL)) NOT VALID;
ALTER TABLE oauth_clients VALIDATE CONSTRAINT oauth_clients_method_check;
ALTER TABLE oauth_clients VALIDATE CONSTRAINT oauth_clients_secret_check;
ALTER TABLE oauth_clients VALIDATE CONSTRAINT oauth_clients_keys_check;

-- A service account may have keys beside its secrets.
ALTER TABLE service_accounts ADD COLUMN jwks jsonb;
