-- Second factors. What a user has is noted on the user's row too, so that a login needs no further question.
ALTER TABLE users ADD COLUMN mfa text[] NOT NULL DEFAULT '{}';
ALTER TABLE users ADD CONSTRAINT users_mfa_check CHECK (mfa <@ ARRAY['totp', 'passkey']);

-- An authenticator app (RFC 6238). The secret is sealed, bound to the row. `last_step` is the step of the last code that
-- was accepted: no code of it or of an earlier one is accepted again.
CREATE TABLE totp_factors (
  tenant_id     uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id            uuid        NOT NULL,
  user_id       uuid        NOT NULL,
  sealed_secret bytea       NOT NULL,
  created_at    timestamptz NOT NULL,
  activated_at  timestamptz,
  last_step     bigint      NOT NULL DEFAULT 0,
  CONSTRAINT totp_factors_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT totp_factors_user_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE totp_factors ENABLE ROW LEVEL SECURITY;
ALTER TABLE totp_factors FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON totp_factors
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX totp_factors_user_idx ON totp_factors (tenant_id, user_id);
-- One app counts at a time.
CREATE UNIQUE INDEX totp_factors_active_key ON totp_factors (tenant_id, user_id) WHERE activated_at IS NOT NULL;

-- Codes on paper, each good once. They have 80 random bits; an HMAC under the platform's secret is kept.
CREATE TABLE recovery_codes (
  tenant_id uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  user_id   uuid        NOT NULL,
  code_mac  bytea       NOT NULL,
  used_at   timestamptz,
  CONSTRAINT recovery_codes_pkey PRIMARY KEY (tenant_id, user_id, code_mac),
  CONSTRAINT recovery_codes_user_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT recovery_codes_mac_check CHECK (octet_length(code_mac) = 32)
);

ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON recovery_codes
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- Logins whose password was right and whose second factor is still to come.
CREATE TABLE mfa_challenges (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid        NOT NULL,
  user_id     uuid        NOT NULL,
  secret_hash bytea       NOT NULL,
  attempts    integer     NOT NULL DEFAULT 0,
  remember    boolean     NOT NULL,
  device_name text,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  CONSTRAINT mfa_challenges_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT mfa_challenges_user_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT mfa_challenges_hash_check CHECK (octet_length(secret_hash) = 32)
);

ALTER TABLE mfa_challenges ENABLE ROW LEVEL SECURITY;
ALTER TABLE mfa_challenges FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON mfa_challenges
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX mfa_challenges_user_idx ON mfa_challenges (tenant_id, user_id);

-- Wrong codes of a user, over all challenges: a fresh login does not give fresh guesses.
CREATE TABLE mfa_failures (
  tenant_id    uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  user_id      uuid        NOT NULL,
  window_start timestamptz NOT NULL,
  attempts     integer     NOT NULL,
  CONSTRAINT mfa_failures_pkey PRIMARY KEY (tenant_id, user_id),
  CONSTRAINT mfa_failures_user_fkey FOREIGN KEY (tenant_id, user_id)
    REFERENCES users (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE mfa_failures ENABLE ROW LEVEL SECURITY;
ALTER TABLE mfa_failures FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON mfa_failures
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
