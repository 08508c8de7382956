-- Reports: what was ordered, the numbers once they are read (so that every format and every attempt shows the same), and
-- how far it is.
CREATE TABLE reports (
  tenant_id      uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id             uuid        NOT NULL,
  title          text        NOT NULL,
  status         text        NOT NULL,
  plan           jsonb       NOT NULL,
  formats        text[]      NOT NULL,
  -- The report with its numbers, as JSON.
  document       bytea,
  data_version   bigint,
  as_of          timestamptz,
  error          jsonb,
  -- The schedule that ordered it, and for which of its times.
  schedule_id    uuid,
  scheduled_for  timestamptz,
  -- Who works on it: a claim that is not the last one may write nothing any more.
  claims         bigint      NOT NULL DEFAULT 0,
  attempts       integer     NOT NULL DEFAULT 0,
  due_at         timestamptz NOT NULL,
  created_by     uuid        NOT NULL,
  created_at     timestamptz NOT NULL,
  started_at     timestamptz,
  finished_at    timestamptz,
  expires_at     timestamptz NOT NULL,
  version        bigint      NOT NULL DEFAULT 1,
  CONSTRAINT reports_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT reports_status_check CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'expired')),
  CONSTRAINT reports_schedule_check CHECK ((schedule_id IS NULL) = (scheduled_for IS NULL))
);
-- A time of a schedule has one report, however many processes see that it has come.
CREATE UNIQUE INDEX reports_schedule_key ON reports (tenant_id, schedule_id, scheduled_for) WHERE schedule_id IS NOT NULL;
CREATE INDEX reports_due_idx ON reports (tenant_id, due_at) WHERE status IN ('queued', 'running');
CREATE INDEX reports_expires_idx ON reports (tenant_id, expires_at) WHERE status <> 'expired';

ALTER TABLE reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE reports FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON reports
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- The files of a report, each made or failed on its own.
CREATE TABLE report_files (
  tenant_id      uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  report_id      uuid        NOT NULL,
  format         text        NOT NULL,
  content        bytea       NOT NULL,
  size           bigint      NOT NULL,
  sha256         text        NOT NULL,
  missing_glyphs text[]      NOT NULL DEFAULT '{}',
  error          jsonb,
  made_at        timestamptz NOT NULL,
  CONSTRAINT report_files_pkey PRIMARY KEY (tenant_id, report_id, format),
  CONSTRAINT report_files_report_fkey FOREIGN KEY (tenant_id, report_id)
    REFERENCES reports (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT report_files_format_check CHECK (format IN ('json', 'csv', 'xlsx', 'pdf'))
);
-- A piece of a file is read without the rest; most of them are packed already.
ALTER TABLE report_files ALTER COLUMN content SET STORAGE EXTERNAL;

ALTER TABLE report_files ENABLE ROW LEVEL SECURITY;
ALTER TABLE report_files FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON report_files
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
