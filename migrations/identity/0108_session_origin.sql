-- Where a session comes from, for its user to recognise it; how its user proved who they are (NIST SP 800-63B level, RFC
-- 8176 methods); and how long its refresh token waits for its use, in seconds.
ALTER TABLE sessions
  ADD COLUMN ip               text,
  ADD COLUMN user_agent       text,
  ADD COLUMN device_name      text,
  ADD COLUMN acr              text    NOT NULL DEFAULT 'aal1',
  ADD COLUMN amr              text[]  NOT NULL DEFAULT '{pwd}',
  ADD COLUMN refresh_lifetime integer NOT NULL DEFAULT 1209600,
  ADD CONSTRAINT sessions_acr_check CHECK (acr IN ('aal1', 'aal2')),
  ADD CONSTRAINT sessions_device_name_check CHECK (char_length(device_name) BETWEEN 1 AND 120);

ALTER TABLE sessions DROP CONSTRAINT sessions_reason_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_reason_check CHECK (revoked_reason IN (
  'logout', 'refresh_reuse', 'ended_by_user', 'ended_by_admin', 'password_changed', 'password_reset', 'email_changed',
  'mfa_changed', 'user_disabled', 'user_deleted', 'member_removed', 'tenant_deleted'));
