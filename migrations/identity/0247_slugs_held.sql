-- How many slugs name the transaction's tenant: the present one and those it had before.
CREATE FUNCTION slugs_held() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
RETURN (SELECT count(*) FROM identity.tenant_slugs WHERE owner_tenant_id = current_setting('app.tenant_id')::uuid);
ALTER FUNCTION slugs_held() OWNER TO identity_relay;
