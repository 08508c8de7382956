-- A search among some records only: those that pass a filter, when they are few. The filter itself is evaluated by the
-- service, under the policies of the API role; what comes here is its result.

-- Records by text, the best first. `keys` and `beginnings` are keys that a record has, whole or at the beginning; they
-- and the whole title come before everything else. Then come words, beginnings of words and parts of words, and when these
-- find little, words with typing errors. The lists are joined by reciprocal rank (Cormack, Clarke and Buettcher, 2009). With
-- `among` only these records are looked at.
CREATE FUNCTION search_text(
  asked text, keys text[], beginnings text[], record uuid, all_of text[], team_of text[], own_of text[], viewer uuid, most integer,
  among uuid[]
) RETURNS TABLE (record_type text, record_id uuid, score double precision, is_exact boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
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
  by_head tsquery;
  teams   uuid[] := '{}';
  kinds   constant text[] := all_of || team_of || own_of;
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
  -- Words of one letter begin half of all words.
  SELECT string_agg('''' || w || ''':*', ' & ')::tsquery INTO by_head
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
    UNION ALL
    SELECT 2, h.record_type, h.record_id, row_number() OVER (ORDER BY ts_rank(h.words, by_head) DESC, h.record_id DESC)
    FROM (SELECT d.* FROM {{schema}}.search_documents AS d
          WHERE by_head IS NOT NULL AND d.tenant_id = tenant AND d.words @@ by_head
            AND (among IS NULL OR d.record_id = ANY (among)) AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 500) AS h
  )
  SELECT array_agg(hits.record_type), array_agg(hits.record_id), array_agg(hits.list), array_agg(hits.place)
  INTO types, found, lists, places FROM hits;

  -- A part of a word: only what is long enough for the index, and only when whole words and beginnings leave room.
  IF NOT literal AND coalesce(cardinality(found), 0) < most AND char_length(folded) >= 3 THEN
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

  IF NOT literal AND coalesce(cardinality(found), 0) < least(most, 5) AND NOT 0 = ANY (coalesce(lists, '{}')) AND char_length(folded) >= 4 THEN
    PERFORM set_config('pg_trgm.word_similarity_threshold', '0.45', true);
    WITH hits AS (
      SELECT h.record_type, h.record_id,
             row_number() OVER (ORDER BY public.word_similarity(folded, h.body) DESC, h.record_id DESC)::integer AS place
      FROM (SELECT d.* FROM {{schema}}.search_documents AS d
            WHERE d.tenant_id = tenant AND folded OPERATOR(public.<%) d.body
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
CREATE FUNCTION search_near(
  asked text, of_model text, all_of text[], team_of text[], own_of text[], viewer uuid, most integer, exact_below integer,
  among uuid[]
) RETURNS TABLE (record_type text, record_id uuid, similarity double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  tenant constant uuid := current_setting('app.tenant_id')::uuid;
  q      constant public.vector := asked::public.vector;
  dims   constant integer := public.vector_dims(q);
  teams  uuid[] := ARRAY(SELECT m.team_id FROM {{schema}}.team_members AS m WHERE m.tenant_id = tenant AND m.user_id = viewer);
  kinds  constant text[] := all_of || team_of || own_of;
  many   bigint;
  cast_  text := '';
BEGIN
  SELECT count(*) INTO many FROM (
    SELECT FROM {{schema}}.search_embeddings AS e WHERE e.tenant_id = tenant AND e.model = of_model
      AND (among IS NULL OR e.record_id = ANY (among)) LIMIT exact_below + 1) AS counted;
  IF many > exact_below AND dims IN (384, 768, 1024, 1536) THEN
    PERFORM set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.max_scan_tuples', '200000', true),
            set_config('hnsw.ef_search', '400', true), set_config('enable_sort', 'off', true);
    cast_ := format('::public.vector(%s)', dims);
  END IF;
  RETURN QUERY EXECUTE format(
    'SELECT n.record_type, n.record_id, 1 - n.distance FROM (
       SELECT e.record_type, e.record_id, (e.embedding%1$s OPERATOR(public.<=>) $1%1$s) AS distance
       FROM {{schema}}.search_embeddings AS e
       JOIN {{schema}}.search_documents AS d
         ON d.tenant_id = e.tenant_id AND d.record_type = e.record_type AND d.record_id = e.record_id
       WHERE e.tenant_id = $2 AND e.model = $3 AND e.dimensions = %2$s AND e.record_type = ANY ($4)
         AND ($11 IS NULL OR e.record_id = ANY ($11)) AND {{schema}}.search_sees(d, $5, $6, $7, $8, $9)
       ORDER BY e.embedding%1$s OPERATOR(public.<=>) $1%1$s LIMIT $10) AS n
     WHERE n.distance < 0.8', cast_, dims)
  USING q, tenant, of_model, kinds, all_of, team_of, own_of, viewer, teams, least(greatest(most, 0), 200), among;
END $$;

-- Until the release before this one is gone: the same among all records.
CREATE OR REPLACE FUNCTION search_text(
  asked text, keys text[], beginnings text[], record uuid, all_of text[], team_of text[], own_of text[], viewer uuid, most integer
) RETURNS TABLE (record_type text, record_id uuid, score double precision, is_exact boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT * FROM {{schema}}.search_text(asked, keys, beginnings, record, all_of, team_of, own_of, viewer, most, NULL::uuid[]);
END;

CREATE OR REPLACE FUNCTION search_near(
  asked text, of_model text, all_of text[], team_of text[], own_of text[], viewer uuid, most integer, exact_below integer
) RETURNS TABLE (record_type text, record_id uuid, similarity double precision)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT * FROM {{schema}}.search_near(asked, of_model, all_of, team_of, own_of, viewer, most, exact_below, NULL::uuid[]);
END;

ALTER FUNCTION search_text(text, text[], text[], uuid, text[], text[], text[], uuid, integer, uuid[]) OWNER TO {{schema}}_relay;
ALTER FUNCTION search_near(text, text, text[], text[], text[], uuid, integer, integer, uuid[]) OWNER TO {{schema}}_relay;
