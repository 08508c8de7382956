-- What the search looks at: one row per record that is not in the trash, written by triggers in the transaction of the
-- change. Full-text and trigram operators are not leakproof, so no policy lets them use an index: the API role has no
-- right on this table, and functions that apply tenant and visibility themselves read it (0172).

-- A text in the form in which it is compared: lower case, without accents, one blank between words. The same as
-- `normal::name` of the service.
CREATE FUNCTION fold_text(plain text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN btrim(regexp_replace(lower(
  CASE WHEN octet_length(plain) = char_length(plain) THEN plain
       ELSE regexp_replace(normalize(plain, NFKD), '[\u0300-\u036F\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\uFE20-\uFE2F]', '', 'g')
  END), '[^[:alnum:]]+', ' ', 'g'));

CREATE TABLE search_documents (
  tenant_id   uuid  NOT NULL DEFAULT (current_setting('app.tenant_id')::uuid),
  record_type text  NOT NULL,
  record_id   uuid  NOT NULL,
  -- What is shown of it.
  title       text  NOT NULL,
  subtitle    text,
  -- Its texts by the names of their fields, to show where something was found.
  texts       jsonb NOT NULL,
  -- The title as it is compared, and the same with its last word first: people are looked for by family name.
  title_norm  text  COLLATE "C" NOT NULL,
  sort_norm   text  COLLATE "C" NOT NULL,
  -- All texts as they are compared.
  body        text  NOT NULL,
  -- Their words, those of the title with weight A; and keys, which no word can be: '@' and an e-mail address, '/' and a
  -- domain, '#' and the id in another system, '+' and the digits of a phone number from the last to the first.
  words       tsvector NOT NULL,
  -- Whose it is.
  owner_id    uuid,
  team_id     uuid,
  created_by  uuid NOT NULL,
  CONSTRAINT search_documents_pkey PRIMARY KEY (tenant_id, record_type, record_id),
  CONSTRAINT search_documents_record_type_check
    CHECK (record_type IN ('lead', 'contact', 'company', 'deal', 'activity', 'todo'))
);

ALTER TABLE search_documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_documents FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON search_documents
  USING (tenant_id = (SELECT current_setting('app.tenant_id')::uuid))
  WITH CHECK (tenant_id = (SELECT current_setting('app.tenant_id')::uuid));
REVOKE ALL ON search_documents FROM {{schema}}_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON search_documents TO {{schema}}_relay;
-- Without a condition, so that the indexes can be used; every function names the tenant itself.
CREATE POLICY search ON search_documents TO {{schema}}_relay USING (true) WITH CHECK (true);

-- Words, keys and parts of words. A short pending list, because every search reads it.
CREATE INDEX search_documents_text_idx ON search_documents
  USING gin (tenant_id, words, body public.gin_trgm_ops)
  WITH (fastupdate = on, gin_pending_list_limit = 1024);
-- Titles and family names by their beginning.
CREATE INDEX search_documents_title_idx ON search_documents (tenant_id, title_norm, record_id);
CREATE INDEX search_documents_sort_idx ON search_documents (tenant_id, sort_norm, record_id);
