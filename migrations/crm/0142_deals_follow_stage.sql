-- What of a deal follows from its stage is kept by the table, whoever writes it: the status is the kind of the stage, a
-- deal is closed when it enters a stage that is not open, and it is worth its amount times the probability: its own, or
-- else that of the stage.
ALTER TABLE deals
  ADD COLUMN stage_probability smallint,
  ADD COLUMN weighted_amount numeric(20, 2)
    GENERATED ALWAYS AS (round(amount * coalesce(probability, stage_probability) / 100, 2)) STORED,
  ADD COLUMN weighted_amount_currency text GENERATED ALWAYS AS (amount_currency) STORED;

CREATE FUNCTION settle_deal() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  entered boolean;
BEGIN
  entered := TG_OP = 'INSERT';
  IF TG_OP = 'UPDATE' THEN
    entered := NEW.stage_id <> OLD.stage_id;
  END IF;
  SELECT s.kind, s.probability INTO NEW.status, NEW.stage_probability
  FROM {{schema}}.stages AS s WHERE s.tenant_id = NEW.tenant_id AND s.id = NEW.stage_id;
  IF NEW.status IS NULL THEN
    -- No such stage: the foreign key says so.
    NEW.status := 'open';
  END IF;
  IF entered THEN
    NEW.stage_entered_at := NEW.updated_at;
  END IF;
  NEW.closed_at := CASE
    WHEN NEW.status = 'open' THEN NULL
    WHEN TG_OP = 'UPDATE' AND NEW.status = OLD.status THEN OLD.closed_at
    ELSE NEW.updated_at
  END;
  RETURN NEW;
END;
$$;

CREATE TRIGGER deals_settled BEFORE INSERT OR UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION settle_deal();

-- The board adds up a stage from this index alone.
DROP INDEX deals_pipeline_idx;
CREATE INDEX deals_pipeline_idx ON deals (tenant_id, pipeline_id, stage_id)
  INCLUDE (amount_currency, amount, weighted_amount) WHERE deleted_at IS NULL;
