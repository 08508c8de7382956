-- Documents of the records that are there already: their types are queued as after an import, and the job writes them.
-- Rows of all tenants, for which the owner gets a way in that ends with this file.
DO $$
DECLARE
  t record;
BEGIN
  CREATE POLICY backfill ON {{schema}}.search_backlog TO {{schema}}_owner USING (true) WITH CHECK (true);
  FOR t IN
    SELECT * FROM (VALUES ('lead', 'leads'), ('contact', 'contacts'), ('company', 'companies'), ('deal', 'deals'),
      ('activity', 'activities'), ('todo', 'todos')) AS types (name, plural)
  LOOP
    EXECUTE format('CREATE POLICY backfill ON {{schema}}.%I FOR SELECT TO {{schema}}_owner USING (true)', t.plural);
    EXECUTE format('INSERT INTO {{schema}}.search_backlog (tenant_id, record_type, record_id)
      SELECT tenant_id, %L, id FROM {{schema}}.%I WHERE deleted_at IS NULL', t.name, t.plural);
    EXECUTE format('DROP POLICY backfill ON {{schema}}.%I', t.plural);
  END LOOP;
  DROP POLICY backfill ON {{schema}}.search_backlog;
END $$;
