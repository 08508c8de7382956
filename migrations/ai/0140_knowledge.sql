-- Documents that a tenant gives its agents to read. text is what was read out of the file; the file itself is not kept.
CREATE TABLE knowledge_documents (
  tenant_id  uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id         uuid        NOT NULL,
  title      text        NOT NULL,
  media_type text        NOT NULL,
  source_url text,
  collection text,
  labels     text[]      NOT NULL DEFAULT '{}',
  text       text        NOT NULL,
  characters integer     NOT NULL,
  status     text        NOT NULL DEFAULT 'queued',
  -- When the job may take it: at once, or when the one who took it has not come back. None when nothing is to be done.
  due_at     timestamptz DEFAULT '-infinity',
  attempts   integer     NOT NULL DEFAULT 0,
  -- Whether the chunks are those of the text.
  chunked    boolean     NOT NULL DEFAULT false,
  -- The model that made the vectors of all its chunks; none while only its words are searched.
  model      text,
  error      text,
  indexed_at timestamptz,
  created_by uuid        NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  version    bigint      NOT NULL DEFAULT 1,
  CONSTRAINT knowledge_documents_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT knowledge_documents_status_check CHECK (status IN ('queued', 'indexed', 'failed')),
  CONSTRAINT knowledge_documents_due_check CHECK ((status = 'queued') = (due_at IS NOT NULL))
);

ALTER TABLE knowledge_documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE knowledge_documents FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON knowledge_documents
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX knowledge_documents_due_idx ON knowledge_documents (tenant_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX knowledge_documents_collection_idx ON knowledge_documents (tenant_id, collection, id);

-- The parts of a document that a search finds, with their place in its text, in characters. Words are compared without accents.
CREATE TABLE knowledge_chunks (
  tenant_id   uuid     NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  id          uuid     NOT NULL,
  document_id uuid     NOT NULL,
  ordinal     integer  NOT NULL,
  heading     text     NOT NULL,
  starts_at   integer  NOT NULL,
  ends_at     integer  NOT NULL,
  text        text     NOT NULL,
  words       tsvector NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('pg_catalog.english', regexp_replace(normalize(heading, NFKD), '[\u0300-\u036F]', '', 'g')), 'A')
    || to_tsvector('pg_catalog.english', regexp_replace(normalize(text, NFKD), '[\u0300-\u036F]', '', 'g'))) STORED,
  CONSTRAINT knowledge_chunks_pkey PRIMARY KEY (tenant_id, id),
  CONSTRAINT knowledge_chunks_ordinal_key UNIQUE (tenant_id, document_id, ordinal),
  CONSTRAINT knowledge_chunks_document_fkey FOREIGN KEY (tenant_id, document_id)
    REFERENCES knowledge_documents (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE knowledge_chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE knowledge_chunks FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON knowledge_chunks
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

CREATE INDEX knowledge_chunks_words_idx ON knowledge_chunks USING gin (tenant_id, words);

-- A vector for each chunk. It goes with its chunk. Vectors of different models are never compared.
CREATE TABLE knowledge_embeddings (
  tenant_id   uuid        NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  chunk_id    uuid        NOT NULL,
  model       text        NOT NULL,
  dimensions  integer     NOT NULL,
  embedding   public.vector NOT NULL,
  embedded_at timestamptz NOT NULL,
  CONSTRAINT knowledge_embeddings_pkey PRIMARY KEY (tenant_id, chunk_id),
  CONSTRAINT knowledge_embeddings_chunk_fkey FOREIGN KEY (tenant_id, chunk_id)
    REFERENCES knowledge_chunks (tenant_id, id) ON DELETE CASCADE
);

ALTER TABLE knowledge_embeddings ENABLE ROW LEVEL SECURITY;
ALTER TABLE knowledge_embeddings FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON knowledge_embeddings
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));

-- For tenants with so many vectors that comparing with each takes too long. One index has the vectors of all tenants; a scan
-- goes on until it has enough of the tenant's own.
CREATE INDEX knowledge_embeddings_384_idx ON knowledge_embeddings
  USING hnsw ((embedding::public.vector(384)) public.vector_cosine_ops) WHERE dimensions = 384;
