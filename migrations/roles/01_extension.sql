-- Vectors, for embeddings. In `public`, which is on every search path.
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;
-- Parts of words and typing errors, and the tenant's id as the first part of an inverted index, for the search.
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;
