-- Takes away what other tenants have of a person of the transaction's tenant, who is about to be deleted: the rows of the
-- guest, with name and address, and all that hangs on them. The tenants are told. Answers from how many.
CREATE FUNCTION forget_guest(person uuid, moment timestamptz) RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  WITH gone AS (
    DELETE FROM identity.users AS g
    USING identity.guest_memberships AS p
    WHERE p.tenant_id = current_setting('app.tenant_id')::uuid AND p.user_id = person
      AND g.tenant_id = p.guest_tenant_id AND g.id = p.user_id AND g.home_tenant_id = p.tenant_id
    RETURNING g.tenant_id
  ), told AS (
    INSERT INTO identity.events (tenant_id, id, kind, at, data)
    SELECT tenant_id, identity.id_at(moment), 'member.removed', moment, jsonb_build_object('user_id', person) FROM gone
  )
  SELECT count(*) FROM gone;
END;

ALTER FUNCTION forget_guest(uuid, timestamptz) OWNER TO identity_relay;
