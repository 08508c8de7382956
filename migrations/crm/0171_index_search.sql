-- Writes the documents of the search, for one row or many in one statement: a function for each type, whose statements
-- are static, so that a session plans them once. A statement that writes more rows than a person does queues them
-- instead (`search_backlog`), and a job writes their documents a moment later: an import is not kept waiting.

-- The most rows of one statement whose documents are written with it.
CREATE FUNCTION search_at_once() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('{{schema}}.search_at_once', true), '')::bigint, 500);

-- Records whose documents are still to be written.
CREATE TABLE search_backlog (
  tenant_id   uuid NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  record_type text NOT NULL,
  record_id   uuid NOT NULL,
  CONSTRAINT search_backlog_pkey PRIMARY KEY (tenant_id, record_type, record_id)
);

ALTER TABLE search_backlog ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_backlog FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON search_backlog
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
GRANT SELECT, INSERT, DELETE ON search_backlog TO {{schema}}_relay;
CREATE POLICY search ON search_backlog TO {{schema}}_relay USING (true) WITH CHECK (true);

-- Tenants and types with a backlog.
CREATE FUNCTION search_backlog_due(most integer) RETURNS TABLE (tenant_id uuid, record_type text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT DISTINCT b.tenant_id, b.record_type FROM {{schema}}.search_backlog AS b LIMIT least(greatest(most, 0), 100);
END;
ALTER FUNCTION search_backlog_due(integer) OWNER TO {{schema}}_relay;

-- What a type's list of further addresses, numbers or domains says in one text.
CREATE FUNCTION search_listed(list jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT string_agg(e ->> 'value', ', ') FROM jsonb_array_elements(list) AS e);

-- The searchable fields of the tenant's own that a record has, as the texts of a document.
CREATE FUNCTION search_custom(tenant uuid, of_type text, custom jsonb) RETURNS jsonb LANGUAGE sql STABLE
RETURN (
  SELECT jsonb_object_agg('custom.' || f.key, left(
    CASE jsonb_typeof(custom -> f.key)
      WHEN 'array' THEN (SELECT string_agg(e, ', ') FROM jsonb_array_elements_text(custom -> f.key) AS e)
      ELSE custom ->> f.key END, 10000))
  FROM {{schema}}.custom_fields AS f
  WHERE f.tenant_id = tenant AND f.record_type = of_type AND f.searchable AND custom ? f.key
);
GRANT SELECT ON custom_fields TO {{schema}}_relay;

CREATE FUNCTION unindex_search() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM {{schema}}.search_documents AS d USING changed AS c
  WHERE d.tenant_id = c.tenant_id AND d.record_type = TG_ARGV[0] AND d.record_id = c.id;
  DELETE FROM {{schema}}.search_backlog AS b USING changed AS c
  WHERE b.tenant_id = c.tenant_id AND b.record_type = TG_ARGV[0] AND b.record_id = c.id;
  RETURN NULL;
END $$;
ALTER FUNCTION unindex_search() OWNER TO {{schema}}_relay;

CREATE FUNCTION index_search_leads() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- What is not looked at may change; `reindex` is how a document is written anew.
    IF coalesce(current_setting('{{schema}}.reindex', true), '') <> 'on' AND NOT EXISTS (
      SELECT 1 FROM changed AS c JOIN former AS f ON f.tenant_id = c.tenant_id AND f.id = c.id
      WHERE (c.campaign, c.city, c.company_name, c.country, c.custom, c.deleted_at, c.domain_norm, c.email, c.email_norm,
        c.external_id, c.first_name, c.industry, c.last_name, c.owner_id, c.phone, c.phone_norm, c.source, c.tags,
        c.team_id, c.title, c.website)
        IS DISTINCT FROM
        (f.campaign, f.city, f.company_name, f.country, f.custom, f.deleted_at, f.domain_norm, f.email, f.email_norm,
        f.external_id, f.first_name, f.industry, f.last_name, f.owner_id, f.phone, f.phone_norm, f.source, f.tags,
        f.team_id, f.title, f.website)
    ) THEN
      RETURN NULL;
    END IF;
    DELETE FROM {{schema}}.search_documents AS d USING changed AS c
    WHERE c.deleted_at IS NOT NULL AND d.tenant_id = c.tenant_id AND d.record_type = 'lead' AND d.record_id = c.id;
  END IF;
  IF (SELECT count(*) FROM changed) > {{schema}}.search_at_once() THEN
    INSERT INTO {{schema}}.search_backlog (tenant_id, record_type, record_id)
    SELECT c.tenant_id, 'lead', c.id FROM changed AS c ON CONFLICT DO NOTHING;
    RETURN NULL;
  END IF;
  INSERT INTO {{schema}}.search_documents AS d
    (tenant_id, record_type, record_id, title, subtitle, texts, title_norm, sort_norm, body, words, owner_id, team_id, created_by)
  SELECT m.tenant_id, 'lead', m.id, m.title, m.subtitle, m.texts, m.title_norm,
         regexp_replace(m.title_norm, '^(.*) ([^ ]+)$', '\2 \1'), m.body,
         setweight(to_tsvector('pg_catalog.simple', m.title_norm), 'A') || to_tsvector('pg_catalog.simple', m.body)
           || array_to_tsvector(m.keys),
         m.owner_id, m.team_id, m.created_by
  FROM (
    SELECT c.tenant_id, c.id, c.owner_id, c.team_id, c.created_by, p.title, p.subtitle,
           CASE WHEN p.own IS NULL THEN p.texts ELSE p.texts || p.own END AS texts,
           left({{schema}}.fold_text(p.title), 300) AS title_norm,
           left({{schema}}.fold_text(concat_ws(' ', p.body, (SELECT string_agg(v.value, ' ') FROM jsonb_each_text(p.own) AS v))), 20000) AS body,
           p.keys
    FROM changed AS c
    CROSS JOIN LATERAL (
      SELECT left(coalesce(nullif(concat_ws(' ', c.first_name, c.last_name), ''), c.company_name, c.email, ''), 500) AS title,
             left(nullif(concat_ws(', ', c.company_name, c.email, c.phone), ''), 500) AS subtitle,
             jsonb_strip_nulls(jsonb_build_object('first_name', c.first_name, 'last_name', c.last_name, 'company_name', c.company_name, 'email', c.email,
               'phone', c.phone, 'title', c.title, 'website', c.website, 'industry', c.industry, 'city', c.city,
               'country', c.country, 'source', c.source, 'campaign', c.campaign, 'external_id', c.external_id,
               'tags', nullif(array_to_string(c.tags, ', '), ''))) AS texts,
             concat_ws(' ', c.first_name, c.last_name, c.company_name, c.email, c.phone, c.title, c.website, c.industry, c.city,
               c.country, c.source, c.campaign, c.external_id, array_to_string(c.tags, ' ')) AS body,
             CASE WHEN c.custom <> '{}' THEN {{schema}}.search_custom(c.tenant_id, 'lead', c.custom) END AS own,
             ARRAY(SELECT DISTINCT left(k.key, 300) FROM (
             SELECT '@' || c.email_norm
             UNION ALL SELECT '+' || reverse(c.phone_norm)
             UNION ALL SELECT '/' || coalesce(c.domain_norm, nullif(split_part(c.email_norm, '@', 2), ''))
             UNION ALL SELECT '#' || nullif(lower(btrim(c.external_id)), '')
             ) AS k (key) WHERE k.key IS NOT NULL) AS keys
    ) AS p
    WHERE c.deleted_at IS NULL
  ) AS m
  ON CONFLICT ON CONSTRAINT search_documents_pkey DO UPDATE
    SET title = excluded.title, subtitle = excluded.subtitle, texts = excluded.texts, title_norm = excluded.title_norm,
        sort_norm = excluded.sort_norm, body = excluded.body, words = excluded.words,
        owner_id = excluded.owner_id, team_id = excluded.team_id;
  RETURN NULL;
END $$;

CREATE TRIGGER leads_search_inserted AFTER INSERT ON leads REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_leads();
CREATE TRIGGER leads_search_updated AFTER UPDATE ON leads REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_leads();
CREATE TRIGGER leads_search_deleted AFTER DELETE ON leads REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_search('lead');
ALTER FUNCTION index_search_leads() OWNER TO {{schema}}_relay;

CREATE FUNCTION index_search_contacts() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- What is not looked at may change; `reindex` is how a document is written anew.
    IF coalesce(current_setting('{{schema}}.reindex', true), '') <> 'on' AND NOT EXISTS (
      SELECT 1 FROM changed AS c JOIN former AS f ON f.tenant_id = c.tenant_id AND f.id = c.id
      WHERE (c.city, c.country, c.custom, c.deleted_at, c.description, c.email, c.email_norm, c.emails, c.external_id,
        c.first_name, c.last_name, c.owner_id, c.phone, c.phone_norm, c.phones, c.postal_code, c.region, c.street,
        c.tags, c.team_id, c.title, c.website)
        IS DISTINCT FROM
        (f.city, f.country, f.custom, f.deleted_at, f.description, f.email, f.email_norm, f.emails, f.external_id,
        f.first_name, f.last_name, f.owner_id, f.phone, f.phone_norm, f.phones, f.postal_code, f.region, f.street,
        f.tags, f.team_id, f.title, f.website)
    ) THEN
      RETURN NULL;
    END IF;
    DELETE FROM {{schema}}.search_documents AS d USING changed AS c
    WHERE c.deleted_at IS NOT NULL AND d.tenant_id = c.tenant_id AND d.record_type = 'contact' AND d.record_id = c.id;
  END IF;
  IF (SELECT count(*) FROM changed) > {{schema}}.search_at_once() THEN
    INSERT INTO {{schema}}.search_backlog (tenant_id, record_type, record_id)
    SELECT c.tenant_id, 'contact', c.id FROM changed AS c ON CONFLICT DO NOTHING;
    RETURN NULL;
  END IF;
  INSERT INTO {{schema}}.search_documents AS d
    (tenant_id, record_type, record_id, title, subtitle, texts, title_norm, sort_norm, body, words, owner_id, team_id, created_by)
  SELECT m.tenant_id, 'contact', m.id, m.title, m.subtitle, m.texts, m.title_norm,
         regexp_replace(m.title_norm, '^(.*) ([^ ]+)$', '\2 \1'), m.body,
         setweight(to_tsvector('pg_catalog.simple', m.title_norm), 'A') || to_tsvector('pg_catalog.simple', m.body)
           || array_to_tsvector(m.keys),
         m.owner_id, m.team_id, m.created_by
  FROM (
    SELECT c.tenant_id, c.id, c.owner_id, c.team_id, c.created_by, p.title, p.subtitle,
           CASE WHEN p.own IS NULL THEN p.texts ELSE p.texts || p.own END AS texts,
           left({{schema}}.fold_text(p.title), 300) AS title_norm,
           left({{schema}}.fold_text(concat_ws(' ', p.body, (SELECT string_agg(v.value, ' ') FROM jsonb_each_text(p.own) AS v))), 20000) AS body,
           p.keys
    FROM changed AS c
    CROSS JOIN LATERAL (
      SELECT left(coalesce(nullif(concat_ws(' ', c.first_name, c.last_name), ''), c.email, ''), 500) AS title,
             left(nullif(concat_ws(', ', c.title, c.email, c.phone), ''), 500) AS subtitle,
             jsonb_strip_nulls(jsonb_build_object('first_name', c.first_name, 'last_name', c.last_name, 'title', c.title, 'email', c.email,
               'phone', c.phone, 'website', c.website, 'street', c.street, 'city', c.city, 'region', c.region,
               'postal_code', c.postal_code, 'country', c.country, 'description', left(c.description, 10000),
               'external_id', c.external_id, 'tags', nullif(array_to_string(c.tags, ', '), ''),
               'emails', {{schema}}.search_listed(c.emails), 'phones', {{schema}}.search_listed(c.phones))) AS texts,
             concat_ws(' ', c.first_name, c.last_name, c.title, c.email, c.phone, c.website, c.street, c.city, c.region,
               c.postal_code, c.country, c.description, c.external_id, array_to_string(c.tags, ' '),
               {{schema}}.search_listed(c.emails), {{schema}}.search_listed(c.phones)) AS body,
             CASE WHEN c.custom <> '{}' THEN {{schema}}.search_custom(c.tenant_id, 'contact', c.custom) END AS own,
             ARRAY(SELECT DISTINCT left(k.key, 300) FROM (
             SELECT '@' || c.email_norm
             UNION ALL SELECT '+' || reverse(c.phone_norm)
             UNION ALL SELECT '/' || nullif(split_part(c.email_norm, '@', 2), '')
             UNION ALL SELECT '@' || lower(btrim(e ->> 'value')) FROM jsonb_array_elements(c.emails) AS e
             UNION ALL SELECT '+' || nullif(reverse(regexp_replace(e ->> 'value', '[^0-9]', '', 'g')), '') FROM jsonb_array_elements(c.phones) AS e
             UNION ALL SELECT '#' || nullif(lower(btrim(c.external_id)), '')
             ) AS k (key) WHERE k.key IS NOT NULL) AS keys
    ) AS p
    WHERE c.deleted_at IS NULL
  ) AS m
  ON CONFLICT ON CONSTRAINT search_documents_pkey DO UPDATE
    SET title = excluded.title, subtitle = excluded.subtitle, texts = excluded.texts, title_norm = excluded.title_norm,
        sort_norm = excluded.sort_norm, body = excluded.body, words = excluded.words,
        owner_id = excluded.owner_id, team_id = excluded.team_id;
  RETURN NULL;
END $$;

CREATE TRIGGER contacts_search_inserted AFTER INSERT ON contacts REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_contacts();
CREATE TRIGGER contacts_search_updated AFTER UPDATE ON contacts REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_contacts();
CREATE TRIGGER contacts_search_deleted AFTER DELETE ON contacts REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_search('contact');
ALTER FUNCTION index_search_contacts() OWNER TO {{schema}}_relay;

CREATE FUNCTION index_search_companies() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- What is not looked at may change; `reindex` is how a document is written anew.
    IF coalesce(current_setting('{{schema}}.reindex', true), '') <> 'on' AND NOT EXISTS (
      SELECT 1 FROM changed AS c JOIN former AS f ON f.tenant_id = c.tenant_id AND f.id = c.id
      WHERE (c.city, c.country, c.custom, c.deleted_at, c.description, c.domain, c.domains, c.external_id, c.industry,
        c.name, c.owner_id, c.phone, c.phone_norm, c.postal_code, c.region, c.street, c.tags, c.team_id, c.website)
        IS DISTINCT FROM
        (f.city, f.country, f.custom, f.deleted_at, f.description, f.domain, f.domains, f.external_id, f.industry,
        f.name, f.owner_id, f.phone, f.phone_norm, f.postal_code, f.region, f.street, f.tags, f.team_id, f.website)
    ) THEN
      RETURN NULL;
    END IF;
    DELETE FROM {{schema}}.search_documents AS d USING changed AS c
    WHERE c.deleted_at IS NOT NULL AND d.tenant_id = c.tenant_id AND d.record_type = 'company' AND d.record_id = c.id;
  END IF;
  IF (SELECT count(*) FROM changed) > {{schema}}.search_at_once() THEN
    INSERT INTO {{schema}}.search_backlog (tenant_id, record_type, record_id)
    SELECT c.tenant_id, 'company', c.id FROM changed AS c ON CONFLICT DO NOTHING;
    RETURN NULL;
  END IF;
  INSERT INTO {{schema}}.search_documents AS d
    (tenant_id, record_type, record_id, title, subtitle, texts, title_norm, sort_norm, body, words, owner_id, team_id, created_by)
  SELECT m.tenant_id, 'company', m.id, m.title, m.subtitle, m.texts, m.title_norm,
         regexp_replace(m.title_norm, '^(.*) ([^ ]+)$', '\2 \1'), m.body,
         setweight(to_tsvector('pg_catalog.simple', m.title_norm), 'A') || to_tsvector('pg_catalog.simple', m.body)
           || array_to_tsvector(m.keys),
         m.owner_id, m.team_id, m.created_by
  FROM (
    SELECT c.tenant_id, c.id, c.owner_id, c.team_id, c.created_by, p.title, p.subtitle,
           CASE WHEN p.own IS NULL THEN p.texts ELSE p.texts || p.own END AS texts,
           left({{schema}}.fold_text(p.title), 300) AS title_norm,
           left({{schema}}.fold_text(concat_ws(' ', p.body, (SELECT string_agg(v.value, ' ') FROM jsonb_each_text(p.own) AS v))), 20000) AS body,
           p.keys
    FROM changed AS c
    CROSS JOIN LATERAL (
      SELECT left(coalesce(c.name, ''), 500) AS title,
             left(nullif(concat_ws(', ', c.domain, c.city, c.country), ''), 500) AS subtitle,
             jsonb_strip_nulls(jsonb_build_object('name', c.name, 'domain', c.domain, 'website', c.website, 'phone', c.phone, 'industry', c.industry,
               'street', c.street, 'city', c.city, 'region', c.region, 'postal_code', c.postal_code,
               'country', c.country, 'description', left(c.description, 10000), 'external_id', c.external_id,
               'tags', nullif(array_to_string(c.tags, ', '), ''),
               'domains', nullif(array_to_string(c.domains, ', '), ''))) AS texts,
             concat_ws(' ', c.name, c.domain, c.website, c.phone, c.industry, c.street, c.city, c.region, c.postal_code, c.country,
               c.description, c.external_id, array_to_string(c.tags, ' '), array_to_string(c.domains, ' ')) AS body,
             CASE WHEN c.custom <> '{}' THEN {{schema}}.search_custom(c.tenant_id, 'company', c.custom) END AS own,
             ARRAY(SELECT DISTINCT left(k.key, 300) FROM (
             SELECT '+' || reverse(c.phone_norm)
             UNION ALL SELECT '/' || c.domain
             UNION ALL SELECT '/' || e FROM unnest(c.domains) AS e
             UNION ALL SELECT '#' || nullif(lower(btrim(c.external_id)), '')
             ) AS k (key) WHERE k.key IS NOT NULL) AS keys
    ) AS p
    WHERE c.deleted_at IS NULL
  ) AS m
  ON CONFLICT ON CONSTRAINT search_documents_pkey DO UPDATE
    SET title = excluded.title, subtitle = excluded.subtitle, texts = excluded.texts, title_norm = excluded.title_norm,
        sort_norm = excluded.sort_norm, body = excluded.body, words = excluded.words,
        owner_id = excluded.owner_id, team_id = excluded.team_id;
  RETURN NULL;
END $$;

CREATE TRIGGER companies_search_inserted AFTER INSERT ON companies REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_companies();
CREATE TRIGGER companies_search_updated AFTER UPDATE ON companies REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_companies();
CREATE TRIGGER companies_search_deleted AFTER DELETE ON companies REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_search('company');
ALTER FUNCTION index_search_companies() OWNER TO {{schema}}_relay;

CREATE FUNCTION index_search_deals() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- What is not looked at may change; `reindex` is how a document is written anew.
    IF coalesce(current_setting('{{schema}}.reindex', true), '') <> 'on' AND NOT EXISTS (
      SELECT 1 FROM changed AS c JOIN former AS f ON f.tenant_id = c.tenant_id AND f.id = c.id
      WHERE (c.custom, c.deleted_at, c.description, c.external_id, c.lost_reason, c.name, c.owner_id, c.status, c.tags,
        c.team_id)
        IS DISTINCT FROM
        (f.custom, f.deleted_at, f.description, f.external_id, f.lost_reason, f.name, f.owner_id, f.status, f.tags,
        f.team_id)
    ) THEN
      RETURN NULL;
    END IF;
    DELETE FROM {{schema}}.search_documents AS d USING changed AS c
    WHERE c.deleted_at IS NOT NULL AND d.tenant_id = c.tenant_id AND d.record_type = 'deal' AND d.record_id = c.id;
  END IF;
  IF (SELECT count(*) FROM changed) > {{schema}}.search_at_once() THEN
    INSERT INTO {{schema}}.search_backlog (tenant_id, record_type, record_id)
    SELECT c.tenant_id, 'deal', c.id FROM changed AS c ON CONFLICT DO NOTHING;
    RETURN NULL;
  END IF;
  INSERT INTO {{schema}}.search_documents AS d
    (tenant_id, record_type, record_id, title, subtitle, texts, title_norm, sort_norm, body, words, owner_id, team_id, created_by)
  SELECT m.tenant_id, 'deal', m.id, m.title, m.subtitle, m.texts, m.title_norm,
         regexp_replace(m.title_norm, '^(.*) ([^ ]+)$', '\2 \1'), m.body,
         setweight(to_tsvector('pg_catalog.simple', m.title_norm), 'A') || to_tsvector('pg_catalog.simple', m.body)
           || array_to_tsvector(m.keys),
         m.owner_id, m.team_id, m.created_by
  FROM (
    SELECT c.tenant_id, c.id, c.owner_id, c.team_id, c.created_by, p.title, p.subtitle,
           CASE WHEN p.own IS NULL THEN p.texts ELSE p.texts || p.own END AS texts,
           left({{schema}}.fold_text(p.title), 300) AS title_norm,
           left({{schema}}.fold_text(concat_ws(' ', p.body, (SELECT string_agg(v.value, ' ') FROM jsonb_each_text(p.own) AS v))), 20000) AS body,
           p.keys
    FROM changed AS c
    CROSS JOIN LATERAL (
      SELECT left(coalesce(c.name, ''), 500) AS title,
             left(nullif(concat_ws(', ', c.status), ''), 500) AS subtitle,
             jsonb_strip_nulls(jsonb_build_object('name', c.name, 'lost_reason', c.lost_reason, 'description', left(c.description, 10000),
               'external_id', c.external_id, 'tags', nullif(array_to_string(c.tags, ', '), ''))) AS texts,
             concat_ws(' ', c.name, c.lost_reason, c.description, c.external_id, array_to_string(c.tags, ' ')) AS body,
             CASE WHEN c.custom <> '{}' THEN {{schema}}.search_custom(c.tenant_id, 'deal', c.custom) END AS own,
             ARRAY(SELECT DISTINCT left(k.key, 300) FROM (
             SELECT '#' || nullif(lower(btrim(c.external_id)), '')
             ) AS k (key) WHERE k.key IS NOT NULL) AS keys
    ) AS p
    WHERE c.deleted_at IS NULL
  ) AS m
  ON CONFLICT ON CONSTRAINT search_documents_pkey DO UPDATE
    SET title = excluded.title, subtitle = excluded.subtitle, texts = excluded.texts, title_norm = excluded.title_norm,
        sort_norm = excluded.sort_norm, body = excluded.body, words = excluded.words,
        owner_id = excluded.owner_id, team_id = excluded.team_id;
  RETURN NULL;
END $$;

CREATE TRIGGER deals_search_inserted AFTER INSERT ON deals REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_deals();
CREATE TRIGGER deals_search_updated AFTER UPDATE ON deals REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_deals();
CREATE TRIGGER deals_search_deleted AFTER DELETE ON deals REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_search('deal');
ALTER FUNCTION index_search_deals() OWNER TO {{schema}}_relay;

CREATE FUNCTION index_search_activities() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- What is not looked at may change; `reindex` is how a document is written anew.
    IF coalesce(current_setting('{{schema}}.reindex', true), '') <> 'on' AND NOT EXISTS (
      SELECT 1 FROM changed AS c JOIN former AS f ON f.tenant_id = c.tenant_id AND f.id = c.id
      WHERE (c.body, c.custom, c.deleted_at, c.external_id, c.outcome, c.owner_id, c.subject, c.tags, c.team_id, c.type)
        IS DISTINCT FROM
        (f.body, f.custom, f.deleted_at, f.external_id, f.outcome, f.owner_id, f.subject, f.tags, f.team_id, f.type)
    ) THEN
      RETURN NULL;
    END IF;
    DELETE FROM {{schema}}.search_documents AS d USING changed AS c
    WHERE c.deleted_at IS NOT NULL AND d.tenant_id = c.tenant_id AND d.record_type = 'activity' AND d.record_id = c.id;
  END IF;
  IF (SELECT count(*) FROM changed) > {{schema}}.search_at_once() THEN
    INSERT INTO {{schema}}.search_backlog (tenant_id, record_type, record_id)
    SELECT c.tenant_id, 'activity', c.id FROM changed AS c ON CONFLICT DO NOTHING;
    RETURN NULL;
  END IF;
  INSERT INTO {{schema}}.search_documents AS d
    (tenant_id, record_type, record_id, title, subtitle, texts, title_norm, sort_norm, body, words, owner_id, team_id, created_by)
  SELECT m.tenant_id, 'activity', m.id, m.title, m.subtitle, m.texts, m.title_norm,
         regexp_replace(m.title_norm, '^(.*) ([^ ]+)$', '\2 \1'), m.body,
         setweight(to_tsvector('pg_catalog.simple', m.title_norm), 'A') || to_tsvector('pg_catalog.simple', m.body)
           || array_to_tsvector(m.keys),
         m.owner_id, m.team_id, m.created_by
  FROM (
    SELECT c.tenant_id, c.id, c.owner_id, c.team_id, c.created_by, p.title, p.subtitle,
           CASE WHEN p.own IS NULL THEN p.texts ELSE p.texts || p.own END AS texts,
           left({{schema}}.fold_text(p.title), 300) AS title_norm,
           left({{schema}}.fold_text(concat_ws(' ', p.body, (SELECT string_agg(v.value, ' ') FROM jsonb_each_text(p.own) AS v))), 20000) AS body,
           p.keys
    FROM changed AS c
    CROSS JOIN LATERAL (
      SELECT left(coalesce(c.subject, c.type, ''), 500) AS title,
             left(nullif(concat_ws(', ', c.type), ''), 500) AS subtitle,
             jsonb_strip_nulls(jsonb_build_object('subject', c.subject, 'body', left(c.body, 10000), 'outcome', c.outcome, 'external_id', c.external_id,
               'tags', nullif(array_to_string(c.tags, ', '), ''))) AS texts,
             concat_ws(' ', c.subject, c.body, c.outcome, c.external_id, array_to_string(c.tags, ' ')) AS body,
             CASE WHEN c.custom <> '{}' THEN {{schema}}.search_custom(c.tenant_id, 'activity', c.custom) END AS own,
             ARRAY(SELECT DISTINCT left(k.key, 300) FROM (
             SELECT '#' || nullif(lower(btrim(c.external_id)), '')
             ) AS k (key) WHERE k.key IS NOT NULL) AS keys
    ) AS p
    WHERE c.deleted_at IS NULL
  ) AS m
  ON CONFLICT ON CONSTRAINT search_documents_pkey DO UPDATE
    SET title = excluded.title, subtitle = excluded.subtitle, texts = excluded.texts, title_norm = excluded.title_norm,
        sort_norm = excluded.sort_norm, body = excluded.body, words = excluded.words,
        owner_id = excluded.owner_id, team_id = excluded.team_id;
  RETURN NULL;
END $$;

CREATE TRIGGER activities_search_inserted AFTER INSERT ON activities REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_activities();
CREATE TRIGGER activities_search_updated AFTER UPDATE ON activities REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_activities();
CREATE TRIGGER activities_search_deleted AFTER DELETE ON activities REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_search('activity');
ALTER FUNCTION index_search_activities() OWNER TO {{schema}}_relay;

CREATE FUNCTION index_search_todos() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- What is not looked at may change; `reindex` is how a document is written anew.
    IF coalesce(current_setting('{{schema}}.reindex', true), '') <> 'on' AND NOT EXISTS (
      SELECT 1 FROM changed AS c JOIN former AS f ON f.tenant_id = c.tenant_id AND f.id = c.id
      WHERE (c.custom, c.deleted_at, c.description, c.external_id, c.owner_id, c.status, c.tags, c.team_id, c.title)
        IS DISTINCT FROM
        (f.custom, f.deleted_at, f.description, f.external_id, f.owner_id, f.status, f.tags, f.team_id, f.title)
    ) THEN
      RETURN NULL;
    END IF;
    DELETE FROM {{schema}}.search_documents AS d USING changed AS c
    WHERE c.deleted_at IS NOT NULL AND d.tenant_id = c.tenant_id AND d.record_type = 'todo' AND d.record_id = c.id;
  END IF;
  IF (SELECT count(*) FROM changed) > {{schema}}.search_at_once() THEN
    INSERT INTO {{schema}}.search_backlog (tenant_id, record_type, record_id)
    SELECT c.tenant_id, 'todo', c.id FROM changed AS c ON CONFLICT DO NOTHING;
    RETURN NULL;
  END IF;
  INSERT INTO {{schema}}.search_documents AS d
    (tenant_id, record_type, record_id, title, subtitle, texts, title_norm, sort_norm, body, words, owner_id, team_id, created_by)
  SELECT m.tenant_id, 'todo', m.id, m.title, m.subtitle, m.texts, m.title_norm,
         regexp_replace(m.title_norm, '^(.*) ([^ ]+)$', '\2 \1'), m.body,
         setweight(to_tsvector('pg_catalog.simple', m.title_norm), 'A') || to_tsvector('pg_catalog.simple', m.body)
           || array_to_tsvector(m.keys),
         m.owner_id, m.team_id, m.created_by
  FROM (
    SELECT c.tenant_id, c.id, c.owner_id, c.team_id, c.created_by, p.title, p.subtitle,
           CASE WHEN p.own IS NULL THEN p.texts ELSE p.texts || p.own END AS texts,
           left({{schema}}.fold_text(p.title), 300) AS title_norm,
           left({{schema}}.fold_text(concat_ws(' ', p.body, (SELECT string_agg(v.value, ' ') FROM jsonb_each_text(p.own) AS v))), 20000) AS body,
           p.keys
    FROM changed AS c
    CROSS JOIN LATERAL (
      SELECT left(coalesce(c.title, ''), 500) AS title,
             left(nullif(concat_ws(', ', c.status), ''), 500) AS subtitle,
             jsonb_strip_nulls(jsonb_build_object('title', c.title, 'description', left(c.description, 10000), 'external_id', c.external_id,
               'tags', nullif(array_to_string(c.tags, ', '), ''))) AS texts,
             concat_ws(' ', c.title, c.description, c.external_id, array_to_string(c.tags, ' ')) AS body,
             CASE WHEN c.custom <> '{}' THEN {{schema}}.search_custom(c.tenant_id, 'todo', c.custom) END AS own,
             ARRAY(SELECT DISTINCT left(k.key, 300) FROM (
             SELECT '#' || nullif(lower(btrim(c.external_id)), '')
             ) AS k (key) WHERE k.key IS NOT NULL) AS keys
    ) AS p
    WHERE c.deleted_at IS NULL
  ) AS m
  ON CONFLICT ON CONSTRAINT search_documents_pkey DO UPDATE
    SET title = excluded.title, subtitle = excluded.subtitle, texts = excluded.texts, title_norm = excluded.title_norm,
        sort_norm = excluded.sort_norm, body = excluded.body, words = excluded.words,
        owner_id = excluded.owner_id, team_id = excluded.team_id;
  RETURN NULL;
END $$;

CREATE TRIGGER todos_search_inserted AFTER INSERT ON todos REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_todos();
CREATE TRIGGER todos_search_updated AFTER UPDATE ON todos REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION index_search_todos();
CREATE TRIGGER todos_search_deleted AFTER DELETE ON todos REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION unindex_search('todo');
ALTER FUNCTION index_search_todos() OWNER TO {{schema}}_relay;

GRANT EXECUTE ON FUNCTION fold_text(text), search_listed(jsonb), search_custom(uuid, text, jsonb), search_at_once() TO {{schema}}_relay;
