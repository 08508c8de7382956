-- What finds the same person or organisation under another spelling. The last eight digits are the same with and without
-- the code of the country; whole numbers have their index already.
ALTER TABLE leads ADD COLUMN phone_tail text
  GENERATED ALWAYS AS (CASE WHEN length(phone_norm) >= 8 THEN right(phone_norm, 8) END) STORED;
ALTER TABLE contacts ADD COLUMN phone_tail text
  GENERATED ALWAYS AS (CASE WHEN length(phone_norm) >= 8 THEN right(phone_norm, 8) END) STORED;
ALTER TABLE companies ADD COLUMN phone_tail text
  GENERATED ALWAYS AS (CASE WHEN length(phone_norm) >= 8 THEN right(phone_norm, 8) END) STORED;

CREATE INDEX leads_phone_tail_idx ON leads (tenant_id, phone_tail) WHERE phone_tail IS NOT NULL;
CREATE INDEX contacts_phone_tail_idx ON contacts (tenant_id, phone_tail) WHERE phone_tail IS NOT NULL;
CREATE INDEX companies_phone_tail_idx ON companies (tenant_id, phone_tail) WHERE phone_tail IS NOT NULL;
