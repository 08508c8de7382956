-- Writes the documents of the search, for one row or a hundred thousand in one statement. Which columns make up a
-- document of a type stands in `search_fields`.
CREATE FUNCTION search_fields(record_type text, OUT title text[], OUT fallback text[], OUT subtitle text[], OUT texts text[])
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  CASE record_type
    WHEN 'lead' THEN
      title := '{first_name,last_name}'; fallback := '{company_name,email}'; subtitle := '{company_name,email,phone}';
      texts := '{first_name,last_name,company_name,email,phone,title,website,industry,city,country,source,campaign}';
    WHEN 'contact' THEN
      title := '{first_name,last_name}'; fallback := '{email}'; subtitle := '{title,email,phone}';
      texts := '{first_name,last_name,title,email,phone,website,street,city,region,postal_code,country,description}';
    WHEN 'company' THEN
      title := '{name}'; fallback := '{}'; subtitle := '{domain,city,country}';
      texts := '{name,domain,website,phone,industry,street,city,region,postal_code,country,description}';
    WHEN 'deal' THEN
      title := '{name}'; fallback := '{}'; subtitle := '{status}'; texts := '{name,lost_reason,description}';
    WHEN 'activity' THEN
      title := '{subject}'; fallback := '{type}'; subtitle := '{type}'; texts := '{subject,body,outcome}';
    WHEN 'todo' THEN
      title := '{title}'; fallback := '{}'; subtitle := '{status}'; texts := '{title,description}';
  END CASE;
END $$;

-- The keys that a record is found by exactly.
CREATE FUNCTION search_keys(r jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE
RETURN ARRAY(
  SELECT DISTINCT left(key, 300) FROM (
    SELECT '@' || (r ->> 'email_norm')
    UNION ALL
    SELECT '@' || lower(btrim(e ->> 'value'))
    FROM jsonb_array_elements(CASE jsonb_typeof(r -> 'emails') WHEN 'array' THEN r -> 'emails' ELSE '[]' END) AS e
    UNION ALL
    SELECT '+' || reverse(r ->> 'phone_norm')
    UNION ALL
    SELECT '+' || nullif(reverse(regexp_replace(e ->> 'value', '[^0-9]', '', 'g')), '')
    FROM jsonb_array_elements(CASE jsonb_typeof(r -> 'phones') WHEN 'array' THEN r -> 'phones' ELSE '[]' END) AS e
    UNION ALL
    SELECT '/' || coalesce(r ->> 'domain_norm', r ->> 'domain', nullif(split_part(r ->> 'email_norm', '@', 2), ''))
    UNION ALL
    SELECT '/' || d
    FROM jsonb_array_elements_text(CASE jsonb_typeof(r -> 'domains') WHEN 'array' THEN r -> 'domains' ELSE '[]' END) AS d
    UNION ALL
    SELECT '#' || nullif(lower(btrim(r ->> 'external_id')), '')
  ) AS keys (key)
  WHERE key IS NOT NULL
);

-- Compiling the statement (JIT) would take longer than running it for one row.
CREATE FUNCTION index_search() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  -- What changes without changing the document.
  unseen constant text[] := '{version,updated_at,last_activity_at,score,grade,score_mode,probability,scored_at,outcome_at,position,stage_entered_at,remind_at,reminded_at}';
BEGIN
  IF TG_ARGV[1] = 'delete' THEN
    DELETE FROM {{schema}}.search_documents AS d USING changed AS c
    WHERE d.tenant_id = c.tenant_id AND d.record_type = TG_ARGV[0] AND d.record_id = c.id;
    RETURN NULL;
  END IF;
  IF TG_ARGV[1] = 'insert' THEN
    PERFORM {{schema}}.write_search(TG_ARGV[0], ARRAY(SELECT to_jsonb(c) FROM changed AS c));
    RETURN NULL;
  END IF;
  DELETE FROM {{schema}}.search_documents AS d USING changed AS c
  WHERE d.tenant_id = c.tenant_id AND d.record_type = TG_ARGV[0] AND d.record_id = c.id AND c.deleted_at IS NOT NULL;
  PERFORM {{schema}}.write_search(TG_ARGV[0], ARRAY(
    SELECT to_jsonb(c) FROM changed AS c JOIN former AS f ON f.tenant_id = c.tenant_id AND f.id = c.id
    WHERE (to_jsonb(c) - unseen) IS DISTINCT FROM (to_jsonb(f) - unseen)));
  RETURN NULL;
END $$;

-- Writes documents of rows of one type.
CREATE FUNCTION write_search(of_type text, rows jsonb[]) RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  INSERT INTO {{schema}}.search_documents AS d
    (tenant_id, record_type, record_id, title, subtitle, texts, title_norm, sort_norm, body, words,
     owner_id, team_id, created_by)
  SELECT m.tenant_id, of_type, m.id, m.title, m.subtitle, m.texts, m.title_norm,
         CASE WHEN m.title_norm LIKE '% %' THEN regexp_replace(m.title_norm, '^(.*) ([^ ]+)$', '\2 \1') ELSE m.title_norm END,
         m.body,
         setweight(to_tsvector('pg_catalog.simple', m.title_norm), 'A') || to_tsvector('pg_catalog.simple', m.body)
           || array_to_tsvector({{schema}}.search_keys(m.r)),
         (m.r ->> 'owner_id')::uuid, (m.r ->> 'team_id')::uuid, (m.r ->> 'created_by')::uuid
  FROM (
    SELECT t.*, left({{schema}}.fold_text(t.title), 300) AS title_norm,
           left({{schema}}.fold_text((SELECT string_agg(v.value, ' ') FROM jsonb_each_text(t.texts) AS v)), 20000) AS body
    FROM (
      SELECT r, (r ->> 'tenant_id')::uuid AS tenant_id, (r ->> 'id')::uuid AS id,
             left(coalesce((SELECT string_agg(r ->> f, ' ') FROM unnest(fields.title) AS f),
                      (SELECT r ->> f FROM unnest(fields.fallback) AS f WHERE r ->> f IS NOT NULL LIMIT 1), ''), 500) AS title,
             (SELECT left(string_agg(r ->> f, ', '), 500) FROM unnest(fields.subtitle) AS f) AS subtitle,
             coalesce((
               SELECT jsonb_object_agg(found.name, left(found.value, 10000)) FROM (
                 SELECT f, r ->> f FROM unnest(fields.texts) AS f WHERE r ->> f IS NOT NULL
                 UNION ALL
                 SELECT 'external_id', r ->> 'external_id' WHERE r ->> 'external_id' IS NOT NULL
                 UNION ALL
                 SELECT 'tags', (SELECT string_agg(tag, ', ') FROM jsonb_array_elements_text(r -> 'tags') AS tag)
                 WHERE r -> 'tags' <> '[]'
                 UNION ALL
                 SELECT g.name, (SELECT string_agg(e ->> 'value', ', ') FROM jsonb_array_elements(r -> g.name) AS e)
                 FROM (VALUES ('emails'), ('phones')) AS g (name)
                 WHERE jsonb_typeof(r -> g.name) = 'array' AND r -> g.name <> '[]'
                 UNION ALL
                 SELECT 'domains', (SELECT string_agg(e, ', ') FROM jsonb_array_elements_text(r -> 'domains') AS e)
                 WHERE jsonb_typeof(r -> 'domains') = 'array' AND r -> 'domains' <> '[]'
                 UNION ALL
                 SELECT 'custom.' || c.key,
                        CASE jsonb_typeof(r -> 'custom' -> c.key)
                          WHEN 'array' THEN (SELECT string_agg(e, ', ') FROM jsonb_array_elements_text(r -> 'custom' -> c.key) AS e)
                          ELSE r -> 'custom' ->> c.key END
                 FROM {{schema}}.custom_fields AS c
                 WHERE r -> 'custom' <> '{}' AND c.tenant_id = (r ->> 'tenant_id')::uuid AND c.record_type = of_type
                   AND c.searchable AND r -> 'custom' ? c.key
               ) AS found (name, value)
               WHERE found.value IS NOT NULL), '{}') AS texts
      FROM unnest(rows) AS r
      CROSS JOIN (SELECT (given).* FROM (SELECT {{schema}}.search_fields(of_type) AS given OFFSET 0) AS f) AS fields
      WHERE r ->> 'deleted_at' IS NULL
    ) AS t
  ) AS m
  ON CONFLICT ON CONSTRAINT search_documents_pkey DO UPDATE
    SET title = excluded.title, subtitle = excluded.subtitle, texts = excluded.texts, title_norm = excluded.title_norm,
        sort_norm = excluded.sort_norm, body = excluded.body, words = excluded.words,
        owner_id = excluded.owner_id, team_id = excluded.team_id;
END;
GRANT SELECT ON custom_fields TO {{schema}}_relay;
GRANT EXECUTE ON FUNCTION search_fields(text), search_keys(jsonb), fold_text(text) TO {{schema}}_relay;
REVOKE EXECUTE ON FUNCTION write_search(text, jsonb[]) FROM {{schema}}_api;
GRANT EXECUTE ON FUNCTION write_search(text, jsonb[]) TO {{schema}}_relay;

CREATE TRIGGER leads_search_inserted AFTER INSERT ON leads REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('lead', 'insert');
CREATE TRIGGER leads_search_updated AFTER UPDATE ON leads REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('lead', 'update');
CREATE TRIGGER leads_search_deleted AFTER DELETE ON leads REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('lead', 'delete');

CREATE TRIGGER contacts_search_inserted AFTER INSERT ON contacts REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('contact', 'insert');
CREATE TRIGGER contacts_search_updated AFTER UPDATE ON contacts REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('contact', 'update');
CREATE TRIGGER contacts_search_deleted AFTER DELETE ON contacts REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('contact', 'delete');

CREATE TRIGGER companies_search_inserted AFTER INSERT ON companies REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('company', 'insert');
CREATE TRIGGER companies_search_updated AFTER UPDATE ON companies REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('company', 'update');
CREATE TRIGGER companies_search_deleted AFTER DELETE ON companies REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('company', 'delete');

CREATE TRIGGER deals_search_inserted AFTER INSERT ON deals REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('deal', 'insert');
CREATE TRIGGER deals_search_updated AFTER UPDATE ON deals REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('deal', 'update');
CREATE TRIGGER deals_search_deleted AFTER DELETE ON deals REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('deal', 'delete');

CREATE TRIGGER activities_search_inserted AFTER INSERT ON activities REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('activity', 'insert');
CREATE TRIGGER activities_search_updated AFTER UPDATE ON activities REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('activity', 'update');
CREATE TRIGGER activities_search_deleted AFTER DELETE ON activities REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('activity', 'delete');

CREATE TRIGGER todos_search_inserted AFTER INSERT ON todos REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('todo', 'insert');
CREATE TRIGGER todos_search_updated AFTER UPDATE ON todos REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('todo', 'update');
CREATE TRIGGER todos_search_deleted AFTER DELETE ON todos REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search('todo', 'delete');

ALTER FUNCTION index_search() OWNER TO {{schema}}_relay;
