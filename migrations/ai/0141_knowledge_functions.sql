-- What finds documents that are due among all tenants, and what searches: full-text and vector operators are not leakproof, so
-- no policy lets them use an index. The searches take the tenant from the transaction's setting, and raise when there is none;
-- they answer places alone, whose rows are read under the tenant's policy.
GRANT SELECT (tenant_id, id, collection, labels, status, due_at, attempts, model) ON knowledge_documents TO {{schema}}_relay;
GRANT UPDATE (status, due_at, attempts) ON knowledge_documents TO {{schema}}_relay;
GRANT SELECT (tenant_id, id, document_id, words) ON knowledge_chunks TO {{schema}}_relay;
GRANT SELECT ON knowledge_embeddings TO {{schema}}_relay;
CREATE POLICY knowledge_functions ON knowledge_documents TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY knowledge_functions ON knowledge_chunks FOR SELECT TO {{schema}}_relay USING (true);
CREATE POLICY knowledge_functions ON knowledge_embeddings FOR SELECT TO {{schema}}_relay USING (true);

-- Takes documents that are due, in turn between tenants. They come up again at `lease`.
CREATE FUNCTION knowledge_due(now timestamptz, lease timestamptz, max integer) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH waiting AS (
    SELECT d.tenant_id, d.id, d.due_at, row_number() OVER (PARTITION BY d.tenant_id ORDER BY d.due_at, d.id) AS turn
    FROM {{schema}}.knowledge_documents AS d WHERE d.due_at <= now
  ), first AS (
    SELECT w.tenant_id, w.id FROM waiting AS w ORDER BY w.turn, w.due_at LIMIT least(greatest(max, 0), 100)
  ), taken AS (
    SELECT d.tenant_id, d.id FROM {{schema}}.knowledge_documents AS d
    JOIN first ON first.tenant_id = d.tenant_id AND first.id = d.id
    -- Looked at again under the lock: another worker may have taken it since.
    WHERE d.due_at <= now FOR UPDATE OF d SKIP LOCKED
  )
  UPDATE {{schema}}.knowledge_documents AS d SET due_at = lease, attempts = d.attempts + 1
  FROM taken WHERE d.tenant_id = taken.tenant_id AND d.id = taken.id
  RETURNING d.tenant_id, d.id;
END;

-- Queues a batch of documents that have no vectors of this model, and answers how many.
CREATE FUNCTION knowledge_outdated(current_model text, now timestamptz, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH old AS (
    SELECT d.tenant_id, d.id FROM {{schema}}.knowledge_documents AS d
    WHERE d.status <> 'queued' AND d.model IS DISTINCT FROM current_model LIMIT batch FOR UPDATE SKIP LOCKED
  ), queued AS (
    UPDATE {{schema}}.knowledge_documents AS d SET status = 'queued', due_at = now, attempts = 0
    FROM old WHERE d.tenant_id = old.tenant_id AND d.id = old.id RETURNING 1
  )
  SELECT count(*) FROM queued;
END;

-- Chunks that have words of the question, those first that have the rarer ones. No word has to be there.
CREATE FUNCTION knowledge_text(asked text, in_collection text, with_labels text[], most integer)
RETURNS TABLE (chunk_id uuid, score double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  tenant  constant uuid := current_setting('app.tenant_id')::uuid;
  words   text[] := (tsvector_to_array(to_tsvector('pg_catalog.english',
                               regexp_replace(normalize(asked, NFKD), '[\u0300-\u036F]', '', 'g'))))[1:32];
  any_of  tsquery;
  total   bigint;
BEGIN
  -- Each as a literal of the query language.
  words := ARRAY(SELECT '''' || replace(replace(w, '\', '\\'), '''', '''''') || '''' FROM unnest(words) AS w);
  any_of := nullif(array_to_string(words, ' | '), '')::tsquery;
  IF any_of IS NULL THEN
    RETURN;
  END IF;
  SELECT count(*) INTO total FROM {{schema}}.knowledge_chunks AS c WHERE c.tenant_id = tenant;
  RETURN QUERY
  WITH hits AS (
    SELECT w.word, c.id, c.document_id FROM unnest(words) AS w (word)
    JOIN {{schema}}.knowledge_chunks AS c
      ON c.tenant_id = tenant AND c.words @@ w.word::tsquery
  ), weights AS (
    SELECT h.word, ln(1 + total::double precision / count(*)) AS weight FROM hits AS h GROUP BY h.word
  ), best AS (
    SELECT h.id, sum(weights.weight) AS score FROM hits AS h JOIN weights USING (word)
    JOIN {{schema}}.knowledge_documents AS d ON d.tenant_id = tenant AND d.id = h.document_id
    WHERE (in_collection IS NULL OR d.collection = in_collection) AND d.labels @> with_labels
    GROUP BY h.id
  )
  SELECT best.id, best.score FROM best JOIN {{schema}}.knowledge_chunks AS c ON c.tenant_id = tenant AND c.id = best.id
  ORDER BY best.score DESC, ts_rank(c.words, any_of, 1) DESC, best.id LIMIT least(greatest(most, 0), 200);
END $$;

-- Chunks whose meaning is near, the nearest first. With at most `exact_below` vectors the tenant's are all compared; above, the
-- index is used.
CREATE FUNCTION knowledge_near(
  asked text, of_model text, in_collection text, with_labels text[], most integer, exact_below integer
) RETURNS TABLE (chunk_id uuid, similarity double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
  tenant constant uuid := current_setting('app.tenant_id')::uuid;
  q      constant public.vector := asked::public.vector;
  dims   constant integer := public.vector_dims(q);
  many   bigint;
  cast_  text := '';
BEGIN
  SELECT count(*) INTO many FROM (
    SELECT FROM {{schema}}.knowledge_embeddings AS e
    WHERE e.tenant_id = tenant AND e.model = of_model LIMIT exact_below + 1) AS counted;
  IF many > exact_below AND dims = 384 THEN
    PERFORM set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.max_scan_tuples', '200000', true),
            set_config('hnsw.ef_search', '400', true), set_config('enable_sort', 'off', true);
    cast_ := '::public.vector(384)';
  END IF;
  RETURN QUERY EXECUTE format(
    'SELECT n.chunk_id, 1 - n.distance FROM (
       SELECT e.chunk_id, (e.embedding%1$s OPERATOR(public.<=>) $1%1$s) AS distance
       FROM {{schema}}.knowledge_embeddings AS e
       WHERE e.tenant_id = $2 AND e.model = $3 AND e.dimensions = %2$s
         AND ($4 IS NULL AND $5 = ''{}'' OR EXISTS (
           SELECT FROM {{schema}}.knowledge_chunks AS c
           JOIN {{schema}}.knowledge_documents AS d ON d.tenant_id = c.tenant_id AND d.id = c.document_id
           WHERE c.tenant_id = $2 AND c.id = e.chunk_id AND ($4 IS NULL OR d.collection = $4) AND d.labels @> $5))
       ORDER BY e.embedding%1$s OPERATOR(public.<=>) $1%1$s LIMIT $6) AS n
     WHERE n.distance < 0.8', cast_, dims)
  USING q, tenant, of_model, in_collection, with_labels, least(greatest(most, 0), 200);
END $$;

ALTER FUNCTION knowledge_due(timestamptz, timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION knowledge_outdated(text, timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION knowledge_text(text, text, text[], integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION knowledge_near(text, text, text, text[], integer, integer) OWNER TO {{schema}}_relay;
