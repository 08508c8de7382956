-- Whether a conversation has its title, from its user or from what was said first. One that was begun without a message gets
-- it then. The version grows with every title.
ALTER TABLE conversations ADD COLUMN titled boolean NOT NULL DEFAULT true;
ALTER TABLE conversations ADD COLUMN version bigint NOT NULL DEFAULT 1;
