-- Vectors, for embeddings. In `public`, which is on every search path.
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;
