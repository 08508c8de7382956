-- The ways into the documents of the search. Each takes the tenant from the transaction's setting, and raises when there
-- is none; `all_of`, `team_of` and `own_of` are the types of which `viewer` sees all records, those of their teams, or
-- their own. What is not seen is neither answered nor counted.

-- Whether a document is seen.
CREATE FUNCTION search_sees(
  d search_documents, all_of text[], team_of text[], own_of text[], viewer uuid, teams uuid[]
) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN d.record_type = ANY (all_of)
  OR ((d.owner_id = viewer OR d.created_by = viewer) AND (d.record_type = ANY (own_of) OR d.record_type = ANY (team_of)))
  OR (d.record_type = ANY (team_of) AND d.team_id = ANY (teams));

-- Records by text, the best first. `keys` and `beginnings` are keys that a record has, whole or at the beginning; they
-- and the whole title come before everything else. Then come words, beginnings of words and parts of words, and when these
-- find little, words with typing errors. The lists are joined by reciprocal rank (Cormack, Clarke and Buettcher, 2009).
CREATE FUNCTION search_text(
  asked text, keys text[], beginnings text[], record uuid, all_of text[], team_of text[], own_of text[], viewer uuid, most integer
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
         AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 200)
      UNION
      (SELECT d.record_type, d.record_id FROM {{schema}}.search_documents AS d
       WHERE folded <> '' AND d.tenant_id = tenant AND d.title_norm = folded
         AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 200)
      UNION
      (SELECT d.record_type, d.record_id FROM {{schema}}.search_documents AS d
       WHERE d.tenant_id = tenant AND d.record_id = record AND d.record_type = ANY (kinds)
         AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams))
    ) AS h
    UNION ALL
    SELECT 1, h.record_type, h.record_id, row_number() OVER (ORDER BY ts_rank(h.words, by_word) DESC, h.record_id DESC)
    FROM (SELECT d.* FROM {{schema}}.search_documents AS d
          WHERE numnode(by_word) > 0 AND d.tenant_id = tenant AND d.words @@ by_word
            AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 500) AS h
    UNION ALL
    SELECT 2, h.record_type, h.record_id, row_number() OVER (ORDER BY ts_rank(h.words, by_head) DESC, h.record_id DESC)
    FROM (SELECT d.* FROM {{schema}}.search_documents AS d
          WHERE by_head IS NOT NULL AND d.tenant_id = tenant AND d.words @@ by_head
            AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 500) AS h
  )
  SELECT array_agg(hits.record_type), array_agg(hits.record_id), array_agg(hits.list), array_agg(hits.place)
  INTO types, found, lists, places FROM hits;

  -- A part of a word: only what is long enough for the index, and only when whole words and beginnings leave room.
  IF NOT literal AND coalesce(cardinality(found), 0) < most AND char_length(folded) >= 3 THEN
    WITH hits AS (
      SELECT h.record_type, h.record_id,
             row_number() OVER (ORDER BY strpos(h.title_norm, folded) = 0, strpos(h.title_norm, folded), h.record_id DESC)::integer AS place
      FROM (SELECT d.* FROM {{schema}}.search_documents AS d
            WHERE d.tenant_id = tenant AND d.body LIKE '%' || folded || '%'
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
              AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams) LIMIT 200) AS h
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

-- Titles that begin so, or have a word that does, in their order.
CREATE FUNCTION search_titles(
  asked text, all_of text[], team_of text[], own_of text[], viewer uuid, most integer
) RETURNS TABLE (record_type text, record_id uuid, title text, subtitle text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  tenant  constant uuid := current_setting('app.tenant_id')::uuid;
  folded  constant text := left({{schema}}.fold_text(asked), 100);
  behind  constant text := folded || U&'\+10FFFF';
  by_head tsquery;
  teams   uuid[] := '{}';
BEGIN
  IF folded = '' THEN
    RETURN;
  END IF;
  IF team_of <> '{}' THEN
    teams := ARRAY(SELECT m.team_id FROM {{schema}}.team_members AS m WHERE m.tenant_id = tenant AND m.user_id = viewer);
  END IF;
  SELECT string_agg('''' || w || ''':*A', ' & ')::tsquery INTO by_head
  FROM unnest(string_to_array(folded, ' ')) AS w WHERE char_length(folded) > 2;
  RETURN QUERY
  WITH heads AS MATERIALIZED (
    SELECT * FROM (
      (SELECT 0 AS list, d.record_type, d.record_id, d.title, d.subtitle, d.title_norm FROM {{schema}}.search_documents AS d
       WHERE d.tenant_id = tenant AND d.title_norm >= folded AND d.title_norm < behind
         AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams)
       ORDER BY d.title_norm, d.record_id LIMIT most)
      UNION ALL
      (SELECT 1, d.record_type, d.record_id, d.title, d.subtitle, d.sort_norm FROM {{schema}}.search_documents AS d
       WHERE d.tenant_id = tenant AND d.sort_norm >= folded AND d.sort_norm < behind
         AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams)
       ORDER BY d.sort_norm, d.record_id LIMIT most)
    ) AS h
  ), words AS (
    SELECT 2, d.record_type, d.record_id, d.title, d.subtitle, d.title_norm FROM {{schema}}.search_documents AS d
    WHERE by_head IS NOT NULL AND (SELECT count(*) FROM heads) < most
      AND d.tenant_id = tenant AND d.words @@ by_head
      AND {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams)
    LIMIT most
  ), firsts AS (
    SELECT DISTINCT ON (h.record_type, h.record_id) h.*
    FROM (SELECT * FROM heads UNION ALL SELECT * FROM words) AS h
    ORDER BY h.record_type, h.record_id, h.list
  )
  SELECT f.record_type, f.record_id, f.title, f.subtitle FROM firsts AS f
  ORDER BY f.list, f.title_norm, f.record_id LIMIT least(greatest(most, 0), 100);
END $$;

-- What is shown of records that a search found. Only what the viewer sees.
CREATE FUNCTION search_show(
  types text[], ids uuid[], all_of text[], team_of text[], own_of text[], viewer uuid
) RETURNS TABLE (record_type text, record_id uuid, title text, subtitle text, texts jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant constant uuid := current_setting('app.tenant_id')::uuid;
  teams  uuid[] := ARRAY(SELECT m.team_id FROM {{schema}}.team_members AS m WHERE m.tenant_id = tenant AND m.user_id = viewer);
BEGIN
  RETURN QUERY
  SELECT d.record_type, d.record_id, d.title, d.subtitle, d.texts
  FROM unnest(types, ids) WITH ORDINALITY AS w (type, id, place)
  JOIN {{schema}}.search_documents AS d ON d.tenant_id = tenant AND d.record_type = w.type AND d.record_id = w.id
  WHERE {{schema}}.search_sees(d, all_of, team_of, own_of, viewer, teams)
  ORDER BY w.place;
END $$;

-- Deletes a batch of the tenant's documents, when the tenant goes, and answers how many went.
CREATE FUNCTION forget_search_documents(batch integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant constant uuid := current_setting('app.tenant_id')::uuid;
  gone   bigint;
BEGIN
  DELETE FROM {{schema}}.search_documents AS d USING (
    SELECT o.record_type, o.record_id FROM {{schema}}.search_documents AS o WHERE o.tenant_id = tenant LIMIT batch
  ) AS old
  WHERE d.tenant_id = tenant AND d.record_type = old.record_type AND d.record_id = old.record_id;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;

GRANT SELECT ON team_members TO {{schema}}_relay;
GRANT EXECUTE ON FUNCTION search_sees(search_documents, text[], text[], text[], uuid, uuid[]) TO {{schema}}_relay;
REVOKE EXECUTE ON FUNCTION search_sees(search_documents, text[], text[], text[], uuid, uuid[]) FROM {{schema}}_api;
ALTER FUNCTION search_text(text, text[], text[], uuid, text[], text[], text[], uuid, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION search_titles(text, text[], text[], text[], uuid, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION search_show(text[], uuid[], text[], text[], text[], uuid) OWNER TO {{schema}}_relay;
ALTER FUNCTION forget_search_documents(integer) OWNER TO {{schema}}_relay;
