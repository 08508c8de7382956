-- The tenants that have something in the trash from before an instant. Emptying is done tenant by tenant, under the
-- tenant's own policies. The role of the function sees no columns but these two.
GRANT SELECT (tenant_id, deleted_at) ON leads, contacts, companies, deals, activities, todos TO {{schema}}_relay;
CREATE POLICY trash_reads ON leads FOR SELECT TO {{schema}}_relay USING (true);
CREATE POLICY trash_reads ON contacts FOR SELECT TO {{schema}}_relay USING (true);
CREATE POLICY trash_reads ON companies FOR SELECT TO {{schema}}_relay USING (true);
CREATE POLICY trash_reads ON deals FOR SELECT TO {{schema}}_relay USING (true);
CREATE POLICY trash_reads ON activities FOR SELECT TO {{schema}}_relay USING (true);
CREATE POLICY trash_reads ON todos FOR SELECT TO {{schema}}_relay USING (true);

CREATE FUNCTION trash_due(before timestamptz, batch integer) RETURNS TABLE (tenant uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT DISTINCT old.tenant_id FROM (
    SELECT tenant_id FROM {{schema}}.leads WHERE deleted_at < before
    UNION ALL SELECT tenant_id FROM {{schema}}.contacts WHERE deleted_at < before
    UNION ALL SELECT tenant_id FROM {{schema}}.companies WHERE deleted_at < before
    UNION ALL SELECT tenant_id FROM {{schema}}.deals WHERE deleted_at < before
    UNION ALL SELECT tenant_id FROM {{schema}}.activities WHERE deleted_at < before
    UNION ALL SELECT tenant_id FROM {{schema}}.todos WHERE deleted_at < before
  ) AS old LIMIT batch;
END;

ALTER FUNCTION trash_due(timestamptz, integer) OWNER TO {{schema}}_relay;
