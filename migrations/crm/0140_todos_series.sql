-- What follows from a to-do's own columns is kept by the table, whoever writes it: `completed` mirrors the status,
-- `completed_at` is the time it was done, `assignee_id` is another name of the owner. A to-do that comes again is one
-- of a series: `series_start` is where its rule begins, `occurs_at` its own place in it (which stays when somebody moves
-- the due time), `follows` the one before.
ALTER TABLE todos
  ADD COLUMN completed    boolean GENERATED ALWAYS AS (status = 'done') STORED,
  ADD COLUMN assignee_id  uuid    GENERATED ALWAYS AS (owner_id) STORED,
  ADD COLUMN series_start timestamptz,
  ADD COLUMN occurs_at    timestamptz,
  ADD COLUMN follows      uuid,
  ADD CONSTRAINT todos_recurrence_check CHECK (recurrence IS NULL OR due_at IS NOT NULL OR due_date IS NOT NULL);

-- One to-do of a series is followed by one, however often it is completed.
CREATE UNIQUE INDEX todos_follows_key ON todos (tenant_id, follows) WHERE follows IS NOT NULL;

CREATE FUNCTION settle_todo() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  NEW.completed_at := CASE WHEN NEW.status = 'done' THEN coalesce(NEW.completed_at, NEW.updated_at) END;
  IF TG_OP = 'UPDATE' AND NEW.remind_at IS DISTINCT FROM OLD.remind_at THEN
    NEW.reminded_at := NULL;
  END IF;
  IF NEW.recurrence IS NULL THEN
    NEW.series_id := NULL;
    NEW.series_start := NULL;
    NEW.occurs_at := NULL;
  ELSIF TG_OP = 'INSERT' OR NEW.recurrence IS DISTINCT FROM OLD.recurrence
    OR NEW.time_zone IS DISTINCT FROM OLD.time_zone
  THEN
    NEW.series_id := coalesce(NEW.series_id, NEW.id);
    NEW.series_start := coalesce(NEW.due_at, NEW.due_date::timestamp AT TIME ZONE coalesce(NEW.time_zone, 'UTC'));
    NEW.occurs_at := NEW.series_start;
  END IF;
  RETURN NEW;
END;
$$;

CREATE TRIGGER todos_settled BEFORE INSERT OR UPDATE ON todos FOR EACH ROW EXECUTE FUNCTION settle_todo();
