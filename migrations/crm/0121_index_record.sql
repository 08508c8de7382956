-- A UUIDv7 of an instant, for rows that a statement writes for many records at once (PostgreSQL 18 has one of its own).
CREATE FUNCTION time_ordered_id(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
RETURN encode(
  set_bit(set_bit(
    overlay(uuid_send(gen_random_uuid())
      PLACING substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
    52, 1), 53, 1),
  'hex')::uuid;

-- The values of a field of the tenant's own as they are compared: one for each option of a list, some in lower case.
CREATE FUNCTION custom_texts(type text, value jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT left(CASE WHEN custom_texts.type IN ('text', 'email', 'url') THEN lower(v.value) ELSE v.value END, 1000)
  FROM jsonb_array_elements_text(
    CASE jsonb_typeof(custom_texts.value) WHEN 'array' THEN custom_texts.value ELSE jsonb_build_array(custom_texts.value) END
  ) AS v (value)
  WHERE v.value IS NOT NULL;
END;

-- Keeps what records are found by (tags and custom values) in step with the records, for one row or a hundred thousand
-- in one statement. Tags that records name for the first time become tags of the tenant. It runs as the caller, under
-- the caller's policies.
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

  IF EXISTS (SELECT 1 FROM changed WHERE tags <> '{}') THEN
    INSERT INTO {{schema}}.record_tags (tenant_id, record_type, tag, record_id)
    SELECT c.tenant_id, TG_ARGV[0], t.tag, c.id FROM changed AS c, unnest(c.tags) AS t (tag)
    ON CONFLICT DO NOTHING;

    -- In one order, so that two statements that bring the same new tags wait for each other and do not lock up.
    INSERT INTO {{schema}}.tags (tenant_id, id, name, created_at, updated_at)
    SELECT n.tenant_id, {{schema}}.time_ordered_id(n.at), n.tag, n.at, n.at
    FROM (
      SELECT c.tenant_id, t.tag, max(c.updated_at) AS at
      FROM changed AS c, unnest(c.tags) AS t (tag)
      WHERE NOT EXISTS (SELECT 1 FROM {{schema}}.tags AS k WHERE k.tenant_id = c.tenant_id AND k.name = t.tag)
      GROUP BY c.tenant_id, t.tag
    ) AS n
    ORDER BY n.tag
    ON CONFLICT ON CONSTRAINT tags_name_key DO NOTHING;
  END IF;

  INSERT INTO {{schema}}.custom_values (tenant_id, field_id, record_id, value, number, at, is_unique)
  SELECT c.tenant_id, f.id, c.id, e.value,
         CASE WHEN f.type = 'number' THEN e.value::double precision END,
         CASE WHEN f.type = 'datetime' THEN e.value::timestamptz
              WHEN f.type = 'date' THEN e.value::date::timestamp AT TIME ZONE 'UTC' END,
         f.is_unique AND c.deleted_at IS NULL
  FROM changed AS c
  JOIN {{schema}}.custom_fields AS f
    ON f.tenant_id = c.tenant_id AND f.record_type = TG_ARGV[0] AND (f.filterable OR f.is_unique) AND c.custom ? f.key
  CROSS JOIN LATERAL {{schema}}.custom_texts(f.type, c.custom -> f.key) AS e (value)
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

-- Indexes the values of one field anew, after what is said of the field has changed. It runs as the caller, under the
-- caller's policies.
CREATE FUNCTION index_custom_field(field uuid, source regclass) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM {{schema}}.custom_values WHERE field_id = field;
  EXECUTE format($statement$
    INSERT INTO {{schema}}.custom_values (tenant_id, field_id, record_id, value, number, at, is_unique)
    SELECT c.tenant_id, f.id, c.id, e.value,
           CASE WHEN f.type = 'number' THEN e.value::double precision END,
           CASE WHEN f.type = 'datetime' THEN e.value::timestamptz
                WHEN f.type = 'date' THEN e.value::date::timestamp AT TIME ZONE 'UTC' END,
           f.is_unique AND c.deleted_at IS NULL
    FROM {{schema}}.custom_fields AS f
    JOIN %s AS c ON c.tenant_id = f.tenant_id AND c.custom ? f.key
    CROSS JOIN LATERAL {{schema}}.custom_texts(f.type, c.custom -> f.key) AS e (value)
    WHERE f.id = $1 AND (f.filterable OR f.is_unique)
    ON CONFLICT ON CONSTRAINT custom_values_pkey DO NOTHING
  $statement$, source) USING field;
END;
$$;
