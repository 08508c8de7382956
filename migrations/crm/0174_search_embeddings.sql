-- Meaning: a vector for each document of the search, made by the AI orchestrator a moment after the document was
-- written. A vector goes with its document.
CREATE TABLE search_embeddings (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  record_type text        NOT NULL,
  record_id   uuid        NOT NULL,
  -- Vectors of different models are never compared.
  model       text        NOT NULL,
  dimensions  integer     NOT NULL,
  embedding   public.vector NOT NULL,
  embedded_at timestamptz NOT NULL,
  CONSTRAINT search_embeddings_pkey PRIMARY KEY (tenant_id, record_type, record_id),
  CONSTRAINT search_embeddings_document_fkey FOREIGN KEY (tenant_id, record_type, record_id)
    REFERENCES search_documents (tenant_id, record_type, record_id) ON DELETE CASCADE
);

-- The documents whose vector is missing or older than their text.
CREATE TABLE search_queue (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  record_type text        NOT NULL,
  record_id   uuid        NOT NULL,
  -- When somebody may take it: at once, or when the one who took it has not come back.
  due_at      timestamptz NOT NULL DEFAULT '-infinity',
  CONSTRAINT search_queue_pkey PRIMARY KEY (tenant_id, record_type, record_id),
  CONSTRAINT search_queue_document_fkey FOREIGN KEY (tenant_id, record_type, record_id)
    REFERENCES search_documents (tenant_id, record_type, record_id) ON DELETE CASCADE
);

ALTER TABLE search_embeddings ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_embeddings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON search_embeddings
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
ALTER TABLE search_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON search_queue
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
REVOKE ALL ON search_embeddings, search_queue FROM {{schema}}_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON search_embeddings, search_queue TO {{schema}}_relay;
CREATE POLICY search ON search_embeddings TO {{schema}}_relay USING (true) WITH CHECK (true);
CREATE POLICY search ON search_queue TO {{schema}}_relay USING (true) WITH CHECK (true);

-- For tenants with so many vectors that comparing with each takes too long. One index has the vectors of all tenants; a
-- scan goes on until it has enough of the tenant's own.
CREATE INDEX search_embeddings_384_idx ON search_embeddings
  USING hnsw ((embedding::public.vector(384)) public.vector_cosine_ops) WHERE dimensions = 384;
CREATE INDEX search_embeddings_768_idx ON search_embeddings
  USING hnsw ((embedding::public.vector(768)) public.vector_cosine_ops) WHERE dimensions = 768;
CREATE INDEX search_embeddings_1024_idx ON search_embeddings
  USING hnsw ((embedding::public.vector(1024)) public.vector_cosine_ops) WHERE dimensions = 1024;
CREATE INDEX search_embeddings_1536_idx ON search_embeddings
  USING hnsw ((embedding::public.vector(1536)) public.vector_cosine_ops) WHERE dimensions = 1536;

CREATE FUNCTION queue_embeddings() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO {{schema}}.search_queue (tenant_id, record_type, record_id)
    SELECT c.tenant_id, c.record_type, c.record_id FROM changed AS c
    ON CONFLICT ON CONSTRAINT search_queue_pkey DO UPDATE SET due_at = '-infinity';
  ELSE
    INSERT INTO {{schema}}.search_queue (tenant_id, record_type, record_id)
    SELECT c.tenant_id, c.record_type, c.record_id FROM changed AS c
    JOIN former AS f ON f.tenant_id = c.tenant_id AND f.record_type = c.record_type AND f.record_id = c.record_id
    WHERE c.title IS DISTINCT FROM f.title OR c.texts IS DISTINCT FROM f.texts
    ON CONFLICT ON CONSTRAINT search_queue_pkey DO UPDATE SET due_at = '-infinity';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER search_documents_queue_inserted AFTER INSERT ON search_documents REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION queue_embeddings();
CREATE TRIGGER search_documents_queue_updated AFTER UPDATE ON search_documents
  REFERENCING OLD TABLE AS former NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION queue_embeddings();

-- Takes documents of all tenants whose vector is due. They come up again at `lease`.
CREATE FUNCTION embeddings_due(now timestamptz, lease timestamptz, most integer)
RETURNS TABLE (tenant_id uuid, record_type text, record_id uuid)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH taken AS (
    SELECT q.tenant_id, q.record_type, q.record_id FROM {{schema}}.search_queue AS q
    WHERE q.due_at <= now LIMIT least(greatest(most, 0), 1000) FOR UPDATE SKIP LOCKED
  )
  UPDATE {{schema}}.search_queue AS q SET due_at = lease FROM taken
  WHERE q.tenant_id = taken.tenant_id AND q.record_type = taken.record_type AND q.record_id = taken.record_id
  RETURNING q.tenant_id, q.record_type, q.record_id;
END;

-- The texts of documents of the transaction's tenant that wait for their vector.
CREATE FUNCTION embedding_texts(types text[], ids uuid[])
RETURNS TABLE (record_type text, record_id uuid, text text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant constant uuid := current_setting('app.tenant_id')::uuid;
BEGIN
  RETURN QUERY
  SELECT d.record_type, d.record_id, left(concat_ws(E'\n', d.title, d.subtitle, (SELECT string_agg(t.value, ' ') FROM jsonb_each_text(d.texts) AS t)), 4000)
  FROM unnest(types, ids) AS w (type, id)
  JOIN {{schema}}.search_queue AS q ON q.tenant_id = tenant AND q.record_type = w.type AND q.record_id = w.id
  JOIN {{schema}}.search_documents AS d ON d.tenant_id = tenant AND d.record_type = w.type AND d.record_id = w.id;
END $$;

-- Stores vectors of documents of the transaction's tenant. A document that changed since it was taken stays in the queue.
CREATE FUNCTION embeddings_store(
  types text[], ids uuid[], of_model text, vectors text[], now timestamptz, lease timestamptz
) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant constant uuid := current_setting('app.tenant_id')::uuid;
  stored bigint;
BEGIN
  INSERT INTO {{schema}}.search_embeddings AS e (tenant_id, record_type, record_id, model, dimensions, embedding, embedded_at)
  SELECT tenant, d.record_type, d.record_id, of_model, public.vector_dims(w.vector::public.vector), w.vector::public.vector, now
  FROM unnest(types, ids, vectors) AS w (type, id, vector)
  JOIN {{schema}}.search_documents AS d ON d.tenant_id = tenant AND d.record_type = w.type AND d.record_id = w.id
  ON CONFLICT ON CONSTRAINT search_embeddings_pkey DO UPDATE
    SET model = excluded.model, dimensions = excluded.dimensions, embedding = excluded.embedding, embedded_at = excluded.embedded_at;
  GET DIAGNOSTICS stored = ROW_COUNT;
  DELETE FROM {{schema}}.search_queue AS q USING unnest(types, ids) AS w (type, id)
  WHERE q.tenant_id = tenant AND q.record_type = w.type AND q.record_id = w.id AND q.due_at = lease;
  RETURN stored;
END $$;

-- Queues a batch of documents whose vector another model made, and answers how many.
CREATE FUNCTION embeddings_outdated(current_model text, batch integer) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH queued AS (
    INSERT INTO {{schema}}.search_queue (tenant_id, record_type, record_id)
    SELECT e.tenant_id, e.record_type, e.record_id FROM {{schema}}.search_embeddings AS e
    WHERE e.model <> current_model AND NOT EXISTS (
      SELECT FROM {{schema}}.search_queue AS q
      WHERE q.tenant_id = e.tenant_id AND q.record_type = e.record_type AND q.record_id = e.record_id)
    LIMIT batch
    ON CONFLICT DO NOTHING
    RETURNING 1
  )
  SELECT count(*) FROM queued;
END;

-- Records whose meaning is near, the nearest first. With at most `exact_below` vectors the tenant's are all compared; above,
-- the index is used.
CREATE FUNCTION search_near(
  asked text, of_model text, all_of text[], team_of text[], own_of text[], viewer uuid, most integer, exact_below integer
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
    SELECT FROM {{schema}}.search_embeddings AS e WHERE e.tenant_id = tenant AND e.model = of_model LIMIT exact_below + 1) AS counted;
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
         AND {{schema}}.search_sees(d, $5, $6, $7, $8, $9)
       ORDER BY e.embedding%1$s OPERATOR(public.<=>) $1%1$s LIMIT $10) AS n
     WHERE n.distance < 0.8', cast_, dims)
  USING q, tenant, of_model, kinds, all_of, team_of, own_of, viewer, teams, least(greatest(most, 0), 200);
END $$;

CREATE FUNCTION forget_search_embeddings(batch integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant constant uuid := current_setting('app.tenant_id')::uuid;
  gone   bigint;
BEGIN
  DELETE FROM {{schema}}.search_embeddings AS e USING (
    SELECT o.record_type, o.record_id FROM {{schema}}.search_embeddings AS o WHERE o.tenant_id = tenant LIMIT batch
  ) AS old
  WHERE e.tenant_id = tenant AND e.record_type = old.record_type AND e.record_id = old.record_id;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;

CREATE FUNCTION forget_search_queue(batch integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant constant uuid := current_setting('app.tenant_id')::uuid;
  gone   bigint;
BEGIN
  DELETE FROM {{schema}}.search_queue AS e USING (
    SELECT o.record_type, o.record_id FROM {{schema}}.search_queue AS o WHERE o.tenant_id = tenant LIMIT batch
  ) AS old
  WHERE e.tenant_id = tenant AND e.record_type = old.record_type AND e.record_id = old.record_id;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;

-- Documents that were there before.
CREATE POLICY backfill ON search_documents TO {{schema}}_owner USING (true) WITH CHECK (true);
CREATE POLICY backfill ON search_queue TO {{schema}}_owner USING (true) WITH CHECK (true);
INSERT INTO search_queue (tenant_id, record_type, record_id) SELECT tenant_id, record_type, record_id FROM search_documents;
DROP POLICY backfill ON search_documents;
DROP POLICY backfill ON search_queue;

ALTER FUNCTION queue_embeddings() OWNER TO {{schema}}_relay;
ALTER FUNCTION embeddings_due(timestamptz, timestamptz, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION embedding_texts(text[], uuid[]) OWNER TO {{schema}}_relay;
ALTER FUNCTION embeddings_store(text[], uuid[], text, text[], timestamptz, timestamptz) OWNER TO {{schema}}_relay;
ALTER FUNCTION embeddings_outdated(text, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION search_near(text, text, text[], text[], text[], uuid, integer, integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION forget_search_embeddings(integer) OWNER TO {{schema}}_relay;
ALTER FUNCTION forget_search_queue(integer) OWNER TO {{schema}}_relay;
