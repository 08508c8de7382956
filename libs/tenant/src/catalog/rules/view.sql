-- Views run with the rights of their owner unless told otherwise, and materialised ones hold everybody's rows.
SELECT n.nspname || '.' || c.relname AS object,
       CASE c.relkind WHEN 'm' THEN 'is a materialised view: it has no policies'
                      ELSE 'is a view without security_invoker' END AS problem
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (SELECT option_value::boolean AS on FROM pg_options_to_table(c.reloptions)
                   WHERE option_name = 'security_invoker') AS invoker ON true
WHERE n.nspname = $1
  AND (c.relkind = 'm' OR (c.relkind = 'v' AND NOT coalesce(invoker.on, false)))
