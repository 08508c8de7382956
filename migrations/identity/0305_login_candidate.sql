-- Whose password a login compares, in one turn to the server: in the tenant that was named, else in the address's default
-- home. What it reads, it reads as the service does, under the policies of that tenant. Always one row, with the nil tenant
-- and no user where there is none; what is done does not depend on what there is.
CREATE FUNCTION login_candidate(address text, named uuid)
RETURNS TABLE (tenant uuid, user_id uuid, password_hash text, is_active boolean, has_factor boolean)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  place uuid := coalesce(named, identity.home_of_email(address), '00000000-0000-0000-0000-000000000000');
BEGIN
  PERFORM set_config('app.tenant_id', place::text, true);
  RETURN QUERY
    SELECT place, u.id, u.password_hash,
           coalesce(u.status = 'active' AND m.status = 'active' AND t.status = 'active', false),
           coalesce(u.mfa <> '{}', false)
    FROM (VALUES (1)) AS one
    LEFT JOIN identity.users AS u ON u.email = address
    LEFT JOIN identity.memberships AS m ON m.tenant_id = u.tenant_id AND m.user_id = u.id
    LEFT JOIN identity.tenants AS t ON t.tenant_id = u.tenant_id;
END $$;
