-- The words of the tenants' documents, by which a word that was typed with an error is found: looking through the documents
-- themselves takes seconds where many have most of the letters. A word is learned with the document that has it first, and
-- forgotten within an hour after the last one went, or with the person it was about.

CREATE TABLE search_words (
  tenant_id uuid NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  -- Not unique: nobody waits for somebody else who writes the same word. It may be there twice.
  word      text COLLATE "C" NOT NULL
);
CREATE INDEX search_words_word_idx ON search_words (tenant_id, word);
CREATE INDEX search_words_like_idx ON search_words USING gin (tenant_id, word public.gin_trgm_ops);

-- Words of documents that went, or changed.
CREATE TABLE search_words_left (
  tenant_id uuid NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  word      text COLLATE "C" NOT NULL
);
CREATE INDEX search_words_left_tenant_idx ON search_words_left (tenant_id);

DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['search_words', 'search_words_left'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I
      USING (tenant_id = (SELECT current_setting(''app.tenant_id'')::uuid))
      WITH CHECK (tenant_id = (SELECT current_setting(''app.tenant_id'')::uuid))', t);
    EXECUTE format('REVOKE ALL ON %I FROM {{schema}}_api', t);
    -- Without a condition, so that the indexes can be used; every function names the tenant itself.
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO {{schema}}_relay', t);
    EXECUTE format('CREATE POLICY search ON %I TO {{schema}}_relay USING (true) WITH CHECK (true)', t);
  END LOOP;
END $$;

-- What of a document's words can be mistyped: no numbers, and no keys.
CREATE FUNCTION search_words_of(words tsvector) RETURNS SETOF text LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT w FROM unnest(tsvector_to_array(words)) AS w WHERE char_length(w) BETWEEN 3 AND 40 AND w !~ '[@+/#0-9]';
END;

CREATE FUNCTION learn_search_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  INSERT INTO {{schema}}.search_words (tenant_id, word)
  SELECT n.tenant_id, n.word
  FROM (SELECT DISTINCT c.tenant_id, w AS word FROM changed AS c, {{schema}}.search_words_of(c.words) AS w) AS n
  WHERE NOT EXISTS (SELECT FROM {{schema}}.search_words AS s WHERE s.tenant_id = n.tenant_id AND s.word = n.word);
  RETURN NULL;
END $$;

CREATE FUNCTION leave_search_words() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO {{schema}}.search_words_left (tenant_id, word)
    SELECT DISTINCT f.tenant_id, w FROM former AS f, {{schema}}.search_words_of(f.words) AS w;
  ELSE
    INSERT INTO {{schema}}.search_words_left (tenant_id, word)
    SELECT f.tenant_id, w FROM former AS f, {{schema}}.search_words_of(f.words) AS w
    EXCEPT
    SELECT c.tenant_id, w FROM changed AS c, {{schema}}.search_words_of(c.words) AS w;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER search_documents_words_inserted AFTER INSERT ON search_documents REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION learn_search_words();
CREATE TRIGGER search_documents_words_updated AFTER UPDATE ON search_documents REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION learn_search_words();
CREATE TRIGGER search_documents_words_left AFTER UPDATE ON search_documents REFERENCING OLD TABLE AS former NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION leave_search_words();
CREATE TRIGGER search_documents_words_deleted AFTER DELETE ON search_documents REFERENCING OLD TABLE AS former
  FOR EACH STATEMENT EXECUTE FUNCTION leave_search_words();

-- Forgets words that no document has any more, a batch of those that documents left: of the tenant, or of all where there is
-- none. Answers how many it looked at. A document that brings one of them back in the same moment does not learn it; the next
-- one does.
CREATE FUNCTION purge_search_words(batch integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  tenant constant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
  looked bigint;
BEGIN
  WITH left_by AS (
    DELETE FROM {{schema}}.search_words_left WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM {{schema}}.search_words_left WHERE tenant IS NULL OR tenant_id = tenant
      LIMIT batch FOR UPDATE SKIP LOCKED)) RETURNING tenant_id, word
  ), gone AS (
    DELETE FROM {{schema}}.search_words AS s USING (SELECT DISTINCT tenant_id, word FROM left_by) AS l
    WHERE s.tenant_id = l.tenant_id AND s.word = l.word AND NOT EXISTS (
      SELECT FROM {{schema}}.search_documents AS d
      WHERE d.tenant_id = l.tenant_id AND d.words @@ quote_literal(l.word)::tsquery)
  )
  SELECT count(*) INTO looked FROM left_by;
  RETURN looked;
END $$;

CREATE FUNCTION forget_search_words(batch integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  tenant constant uuid := current_setting('app.tenant_id')::uuid;
  gone   bigint;
BEGIN
  DELETE FROM {{schema}}.search_words WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM {{schema}}.search_words WHERE tenant_id = tenant LIMIT batch));
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;

CREATE FUNCTION forget_search_words_left(batch integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  tenant constant uuid := current_setting('app.tenant_id')::uuid;
  gone   bigint;
BEGIN
  DELETE FROM {{schema}}.search_words_left WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM {{schema}}.search_words_left WHERE tenant_id = tenant LIMIT batch));
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;

-- The words of a tenant that are most like this one, as a part of a query; nothing when none is.
CREATE FUNCTION search_words_like(tenant uuid, typed text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
  SELECT '(' || string_agg(quote_literal(n.word), ' | ') || ')'
  FROM (SELECT DISTINCT s.word, public.similarity(s.word, typed) AS alike FROM {{schema}}.search_words AS s
        WHERE s.tenant_id = tenant AND s.word OPERATOR(public.%) typed
          AND abs(char_length(s.word) - char_length(typed)) <= 2
        ORDER BY alike DESC, s.word LIMIT 3) AS n
);

-- Records by text, as before (0182), but that what matches less is looked for only where what matches more is not enough, and
-- that errors of typing are found by the tenant's words.
CREATE OR REPLACE FUNCTION search_text(
  asked text, keys text[], beginnings text[], record uuid, all_of text[], team_of text[], own_of text[], viewer uuid, most integer,
  among uuid[]
) RETURNS TABLE (record_type text, record_id uuid, score double precision, is_exact boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET pg_trgm.similarity_threshold = 0.2
AS $$
DECLARE
  tenant  constant uuid := current_setting('app.tenant_id')::uuid;
  folded  constant text := left({{schema}}.fold_text(asked), 200);
  -- What the query language of search engines needs is left in: quotes, and a minus before a word.
  marked  constant text := regexp_replace(regexp_replace(lower(normalize(left(asked, 200), NFKD)),
                             '[^[:alnum:]" -]+', ' ', 'g'), '([^ ])-', '\1 ', 'g');
  -- Whoever writes quotes or a minus means exactly that.
  literal constant boolean := marked ~ '"|(^| )-';
  by_key  tsquery;
  by_word tsquery := websearch_to_tsquery('pg_catalog.simple', marked);
  heads   tsquery[];
  by_head tsquery;
  by_near tsquery;
  teams   uuid[] := '{}';
  kinds   constant text[] := all_of || team_of || own_of;
  -- With so many, nobody looks for those that match less.
  enough  constant integer := least(most, 50);
  found   uuid[];
  types   text[];
  lists   smallint[];
  places  integer[];
BEGIN
  IF team_of <> '{}' THEN
    teams := ARRAY(SELECT m.team_id FROM {{schema}}.team_members AS m WHERE m.tenant_id = tenant AND m.user_id = viewer);
  END IF;
  SELECT string_agg(quote_literal(replace(k.key, '\', '\\')) || k.mark, ' | ')::tsquery INTO by_key
  FROM (SELECT unnest(keys), '' UNION ALL SELECT unnest(beginnings), ':*') AS k (key, mark);
  -- The last word is seldom typed to its end; the others often are, and so find less to look through. Words of one letter
  -- begin half of all words.
  SELECT ARRAY[string_agg(quote_literal(w) || CASE WHEN folded LIKE '% ' || w THEN ':*' ELSE '' END, ' & '),
               string_agg(quote_literal(w) || ':*', ' & ')]::tsquery[] INTO heads
  FROM unnest(string_to_array(folded, ' ')) AS w WHERE NOT literal AND w <> '' AND (char_length(w) > 1 OR folded LIKE '% %');

  WITH hits AS (
    SELECT 0::smallint AS list, h.record_type, h.record_id, row_number() OVER (ORDER BY h.record_id DESC)::integer AS place
    FROM (
      (SELECT d.record_type, d.record_id FROM {{schema}}.search_documents AS d
       WHERE by_key IS NOT NULL AND d.tenant_id = tenant AND d.words @@ by_key
         AND (among IS NULL OR d.record_id = ANY (among)) AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 200)
      UNION
      (SELECT d.record_type, d.record_id FROM {{schema}}.search_documents AS d
       WHERE folded <> '' AND d.tenant_id = tenant AND d.title_norm = folded
         AND (among IS NULL OR d.record_id = ANY (among)) AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 200)
      UNION
      (SELECT d.record_type, d.record_id FROM {{schema}}.search_documents AS d
       WHERE d.tenant_id = tenant AND d.record_id = record AND d.record_type = ANY (kinds)
         AND (among IS NULL OR d.record_id = ANY (among)) AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams))
    ) AS h
    UNION ALL
    SELECT 1, h.record_type, h.record_id, row_number() OVER (ORDER BY ts_rank(h.words, by_word) DESC, h.record_id DESC)
    FROM (SELECT d.* FROM {{schema}}.search_documents AS d
          WHERE numnode(by_word) > 0 AND d.tenant_id = tenant AND d.words @@ by_word
            AND (among IS NULL OR d.record_id = ANY (among)) AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 500) AS h
  )
  SELECT coalesce(array_agg(hits.record_type), '{}'), coalesce(array_agg(hits.record_id), '{}'),
         coalesce(array_agg(hits.list), '{}'), coalesce(array_agg(hits.place), '{}')
  INTO types, found, lists, places FROM hits;

  FOREACH by_head IN ARRAY heads LOOP
    CONTINUE WHEN by_head IS NULL OR cardinality(found) >= enough;
    WITH hits AS (
      SELECT h.record_type, h.record_id, row_number() OVER (ORDER BY ts_rank(h.words, by_head) DESC, h.record_id DESC)::integer AS place
      FROM (SELECT d.* FROM {{schema}}.search_documents AS d
            WHERE d.tenant_id = tenant AND d.words @@ by_head
              AND (among IS NULL OR d.record_id = ANY (among)) AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 500) AS h
    )
    SELECT types || coalesce(array_agg(hits.record_type), '{}'), found || coalesce(array_agg(hits.record_id), '{}'),
           lists || coalesce(array_agg(2::smallint), '{}'), places || coalesce(array_agg(hits.place), '{}')
    INTO types, found, lists, places FROM hits;
  END LOOP;

  -- A part of a word: only what is long enough for the index, and only when whole words and beginnings leave room.
  IF NOT literal AND cardinality(found) < enough AND char_length(folded) >= 3 THEN
    WITH hits AS (
      SELECT h.record_type, h.record_id,
             row_number() OVER (ORDER BY strpos(h.title_norm, folded) = 0, strpos(h.title_norm, folded), h.record_id DESC)::integer AS place
      FROM (SELECT d.* FROM {{schema}}.search_documents AS d
            WHERE d.tenant_id = tenant
              -- How many documents have a part of a word nobody can guess: of a few documents each is looked at.
              AND (among IS NULL AND d.body LIKE '%' || folded || '%'
                OR among IS NOT NULL AND d.record_id = ANY (among) AND strpos(d.body, folded) > 0)
              AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 200) AS h
    )
    SELECT types || coalesce(array_agg(hits.record_type), '{}'), found || coalesce(array_agg(hits.record_id), '{}'),
           lists || coalesce(array_agg(3::smallint), '{}'), places || coalesce(array_agg(hits.place), '{}')
    INTO types, found, lists, places FROM hits;
  END IF;

  -- Words nearly as they were typed: instead of each, the tenant's words that are like it; instead of several, one word.
  IF NOT literal AND cardinality(found) < least(most, 5) AND NOT 0 = ANY (lists) AND char_length(folded) >= 4 THEN
    SELECT concat_ws(' | ', string_agg(coalesce({{schema}}.search_words_like(tenant, w), quote_literal(w) || ':*'), ' & '),
                     CASE WHEN folded LIKE '% %' THEN {{schema}}.search_words_like(tenant, replace(folded, ' ', '')) END)::tsquery
    INTO by_near
    FROM unnest(string_to_array(folded, ' ')) AS w;
    WITH hits AS (
      SELECT h.record_type, h.record_id,
             row_number() OVER (ORDER BY public.word_similarity(folded, h.body) DESC, h.record_id DESC)::integer AS place
      FROM (SELECT d.* FROM {{schema}}.search_documents AS d
            WHERE d.tenant_id = tenant AND d.words @@ by_near
              AND (among IS NULL OR d.record_id = ANY (among)) AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 200) AS h
    )
    SELECT types || coalesce(array_agg(hits.record_type), '{}'), found || coalesce(array_agg(hits.record_id), '{}'),
           lists || coalesce(array_agg(4::smallint), '{}'), places || coalesce(array_agg(hits.place), '{}')
    INTO types, found, lists, places FROM hits;
  END IF;

  RETURN QUERY
  SELECT h.type, h.id, sum(1.0 / (60 + h.place))::double precision, bool_or(h.list = 0)
  FROM unnest(types, found, lists, places) AS h (type, id, list, place)
  WHERE h.id IS NOT NULL
  GROUP BY h.type, h.id
  ORDER BY 4 DESC, 3 DESC, h.id DESC
  LIMIT least(greatest(most, 0), 1000);
END $$;

-- Records whose meaning is near, the nearest first. With at most `exact_below` vectors the tenant's are all compared; above,
-- the index is used. With `among` only these records are looked at.

-- The words of the documents that are there already, of all tenants, for which the owner gets a way in that ends with this file.
CREATE POLICY backfill ON search_documents FOR SELECT TO {{schema}}_owner USING (true);
CREATE POLICY backfill ON search_words FOR INSERT TO {{schema}}_owner WITH CHECK (true);
INSERT INTO search_words (tenant_id, word)
SELECT DISTINCT d.tenant_id, w FROM search_documents AS d, search_words_of(d.words) AS w;
DROP POLICY backfill ON search_documents;
DROP POLICY backfill ON search_words;

GRANT EXECUTE ON FUNCTION search_words_of(tsvector), search_words_like(uuid, text) TO {{schema}}_relay;
REVOKE EXECUTE ON FUNCTION search_words_like(uuid, text) FROM {{schema}}_api;
ALTER FUNCTION learn_search_words() OWNER TO {{schema}}_relay;
ALTER FUNCTION leave_search_words() OWNER TO {{schema}}_relay;
ALTER FUNCTION purge_search_words(integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION forget_search_words(integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION forget_search_words_left(integer) OWNER TO {{schema}}_relay;
