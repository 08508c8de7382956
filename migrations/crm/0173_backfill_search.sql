-- Documents of the records that are there already. Rows of all tenants, for which the owner gets a way in that ends with
-- this file.
DO $$
DECLARE
  t     record;
  read  uuid;
  batch jsonb[];
BEGIN
  CREATE POLICY backfill ON {{schema}}.search_documents TO {{schema}}_owner USING (true) WITH CHECK (true);
  CREATE POLICY backfill ON {{schema}}.custom_fields FOR SELECT TO {{schema}}_owner USING (true);
  FOR t IN
    SELECT * FROM (VALUES ('lead', 'leads'), ('contact', 'contacts'), ('company', 'companies'), ('deal', 'deals'),
      ('activity', 'activities'), ('todo', 'todos')) AS types (name, plural)
  LOOP
    EXECUTE format('CREATE POLICY backfill ON {{schema}}.%I FOR SELECT TO {{schema}}_owner USING (true)', t.plural);
    read := '00000000-0000-0000-0000-000000000000';
    LOOP
      EXECUTE format('SELECT array_agg(to_jsonb(r) ORDER BY r.id) FROM (SELECT * FROM {{schema}}.%I WHERE id > $1 ORDER BY id LIMIT 5000) AS r', t.plural)
        INTO batch USING read;
      EXIT WHEN batch IS NULL;
      PERFORM {{schema}}.write_search(t.name, batch);
      read := (batch[cardinality(batch)] ->> 'id')::uuid;
    END LOOP;
    EXECUTE format('DROP POLICY backfill ON {{schema}}.%I', t.plural);
  END LOOP;
  DROP POLICY backfill ON {{schema}}.custom_fields;
  DROP POLICY backfill ON {{schema}}.search_documents;
END $$;
