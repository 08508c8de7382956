-- The installation's keys for access tokens; they belong to no tenant. The private key is sealed with AES-256-GCM under
-- a key derived from the platform secret, bound to `kid`: a copy of the database signs nothing.
-- next: published, not yet used. active: signs. retired: no longer signs, published until `expires_at`.
CREATE TABLE signing_keys (
  kid            text        NOT NULL,
  algorithm      text        NOT NULL,
  sealed_private bytea       NOT NULL,
  state          text        NOT NULL,
  created_at     timestamptz NOT NULL,
  activated_at   timestamptz,
  retired_at     timestamptz,
  expires_at     timestamptz,
  CONSTRAINT signing_keys_pkey PRIMARY KEY (kid),
  CONSTRAINT signing_keys_algorithm_check CHECK (algorithm IN ('EdDSA')),
  CONSTRAINT signing_keys_state_check CHECK (
    (state = 'next' AND activated_at IS NULL AND retired_at IS NULL AND expires_at IS NULL)
    OR (state = 'active' AND activated_at IS NOT NULL AND retired_at IS NULL AND expires_at IS NULL)
    OR (state = 'retired' AND retired_at IS NOT NULL AND expires_at IS NOT NULL))
);

-- Never two keys that sign, and never two waiting.
CREATE UNIQUE INDEX signing_keys_state_key ON signing_keys (state) WHERE state IN ('next', 'active');
