-- The language in which a conversation is answered; null until something was said in it.
ALTER TABLE conversations ADD COLUMN language text;
ALTER TABLE conversations ADD CONSTRAINT conversations_language_check
  CHECK (language IN ('en', 'es', 'de', 'fr')) NOT VALID;
ALTER TABLE conversations VALIDATE CONSTRAINT conversations_language_check;
