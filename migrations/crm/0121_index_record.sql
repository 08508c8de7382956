-- Keeps what records are found by (tags and custom values) in step with the records, for one row or a hundred thousand
-- in one statement. It runs as the caller, under the caller's policies.
CREATE FUNCTION index_record() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_ARGV[1] = 'insert' THEN
    IF NOT EXISTS (SELECT 1 FROM changed WHERE custom <> '{}' OR tags <> '{}') THEN
      RETURN NULL;
    END IF;
  ELSE
    IF NOT EXISTS (
      SELECT 1 FROM changed AS c JOIN former AS f ON f.tenant_id = c.tenant_id AND f.id = c.id
      WHERE c.custom IS DISTINCT FROM f.custom OR c.tags IS DISTINCT FROM f.tags
        OR (c.deleted_at IS NULL) <> (f.deleted_at IS NULL)
    ) THEN
      RETURN NULL;
    END IF;
    DELETE FROM {{schema}}.custom_values AS v USING changed AS c WHERE v.tenant_id = c.tenant_id AND v.record_id = c.id;
    DELETE FROM {{schema}}.record_tags AS t USING changed AS c WHERE t.tenant_id = c.tenant_id AND t.record_id = c.id;
  END IF;

  INSERT INTO {{schema}}.record_tags (tenant_id, record_type, tag, record_id)
  SELECT c.tenant_id, TG_ARGV[0], t.tag, c.id FROM changed AS c, unnest(c.tags) AS t (tag)
  ON CONFLICT DO NOTHING;

  INSERT INTO {{schema}}.custom_values (tenant_id, field_id, record_id, value, number, at, is_unique)
  SELECT c.tenant_id, f.id, c.id, left(e.value, 1000),
         CASE WHEN f.type = 'number' THEN e.value::double precision END,
         CASE WHEN f.type = 'datetime' THEN e.value::timestamptz
              WHEN f.type = 'date' THEN e.value::date::timestamp AT TIME ZONE 'UTC' END,
         f.is_unique AND c.deleted_at IS NULL
  FROM changed AS c
  JOIN {{schema}}.custom_fields AS f
    ON f.tenant_id = c.tenant_id AND f.record_type = TG_ARGV[0] AND (f.filterable OR f.is_unique) AND c.custom ? f.key
  CROSS JOIN LATERAL (
    SELECT CASE WHEN f.type IN ('text', 'email', 'url') THEN lower(v.value) ELSE v.value END
    FROM jsonb_array_elements_text(
      CASE jsonb_typeof(c.custom -> f.key) WHEN 'array' THEN c.custom -> f.key ELSE jsonb_build_array(c.custom -> f.key) END
    ) AS v (value)
    WHERE v.value IS NOT NULL
  ) AS e (value)
  ON CONFLICT ON CONSTRAINT custom_values_pkey DO NOTHING;
  RETURN NULL;
END;
$$;

CREATE FUNCTION unindex_record() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM {{schema}}.custom_values AS v USING changed AS c WHERE v.tenant_id = c.tenant_id AND v.record_id = c.id;
  DELETE FROM {{schema}}.record_tags AS t USING changed AS c WHERE t.tenant_id = c.tenant_id AND t.record_id = c.id;
  DELETE FROM {{schema}}.record_links AS l USING changed AS c WHERE l.tenant_id = c.tenant_id
    AND ((l.to_type = TG_ARGV[0] AND l.to_id = c.id) OR (l.from_type = TG_ARGV[0] AND l.from_id = c.id));
  RETURN NULL;
END;
$$;

CREATE TRIGGER leads_index_inserted AFTER INSERT ON leads REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('lead', 'insert');
CREATE TRIGGER leads_index_updated AFTER UPDATE ON leads REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('lead', 'update');
CREATE TRIGGER leads_index_deleted AFTER DELETE ON leads REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_record('lead');

CREATE TRIGGER contacts_index_inserted AFTER INSERT ON contacts REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('contact', 'insert');
CREATE TRIGGER contacts_index_updated AFTER UPDATE ON contacts REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('contact', 'update');
CREATE TRIGGER contacts_index_deleted AFTER DELETE ON contacts REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_record('contact');

CREATE TRIGGER companies_index_inserted AFTER INSERT ON companies REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('company', 'insert');
CREATE TRIGGER companies_index_updated AFTER UPDATE ON companies REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('company', 'update');
CREATE TRIGGER companies_index_deleted AFTER DELETE ON companies REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_record('company');

CREATE TRIGGER deals_index_inserted AFTER INSERT ON deals REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('deal', 'insert');
CREATE TRIGGER deals_index_updated AFTER UPDATE ON deals REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('deal', 'update');
CREATE TRIGGER deals_index_deleted AFTER DELETE ON deals REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_record('deal');

CREATE TRIGGER activities_index_inserted AFTER INSERT ON activities REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('activity', 'insert');
CREATE TRIGGER activities_index_updated AFTER UPDATE ON activities REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('activity', 'update');
CREATE TRIGGER activities_index_deleted AFTER DELETE ON activities REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_record('activity');

CREATE TRIGGER todos_index_inserted AFTER INSERT ON todos REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('todo', 'insert');
CREATE TRIGGER todos_index_updated AFTER UPDATE ON todos REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_record('todo', 'update');
CREATE TRIGGER todos_index_deleted AFTER DELETE ON todos REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_record('todo');
