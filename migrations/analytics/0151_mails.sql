-- Mails on their way: one row for an address, sent once. A report's mail is written when it is sent, with its files; any
-- other says what it says here.
CREATE TABLE mails (
  tenant_id      uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id             uuid        NOT NULL,
  address        text        NOT NULL,
  report_id      uuid,
  subject        text,
  body           text,
  status         text        NOT NULL,
  attempts       integer     NOT NULL DEFAULT 0,
  due_at         timestamptz NOT NULL,
  error          text,
  created_at     timestamptz NOT NULL,
  finished_at    timestamptz,
  CONSTRAINT mails_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT mails_report_fkey FOREIGN KEY (tenant_id, report_id) REFERENCES reports (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT mails_status_check CHECK (status IN ('pending', 'sent', 'failed')),
  CONSTRAINT mails_content_check CHECK ((report_id IS NULL) = (subject IS NOT NULL AND body IS NOT NULL))
);
CREATE UNIQUE INDEX mails_report_key ON mails (tenant_id, report_id, address) WHERE report_id IS NOT NULL;
CREATE INDEX mails_due_idx ON mails (tenant_id, due_at) WHERE status = 'pending';
CREATE INDEX mails_finished_idx ON mails (tenant_id, finished_at) WHERE status <> 'pending';

ALTER TABLE mails ENABLE ROW LEVEL SECURITY;
ALTER TABLE mails FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON mails
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
