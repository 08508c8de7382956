{{/* Stops the rendering with a sentence that says what to change. What a type or a list of words can say is in
values.schema.json. */}}
{{- define "bizosaas.validate" -}}
{{- include "bizosaas.validateDatabase" . -}}
{{- include "bizosaas.validateCache" . -}}
{{- include "bizosaas.validateLlm" . -}}
{{- include "bizosaas.validateMigrations" . -}}
{{- include "bizosaas.validateServices" . -}}
{{- include "bizosaas.validateRouting" . -}}
{{- end -}}

{{- define "bizosaas.validateDatabase" -}}
{{- $database := .Values.database -}}
{{- if eq $database.mode "external" -}}
{{- if not $database.host -}}
{{- fail "database.mode is external: set database.host to the host of the Postgres" -}}
{{- end -}}
{{- if not .Values.secrets.existingSecret -}}
{{- fail "database.mode is external: set secrets.existingSecret to a Secret with the passwords; made-up ones would open no external database" -}}
{{- end -}}
{{- else if $database.host -}}
{{- fail "database.host is set, but database.mode is bundled: set database.mode=external, or clear the host" -}}
{{- end -}}
{{- if and (hasPrefix "verify-" $database.sslMode) (not $database.caSecret) -}}
{{- fail (printf "database.sslMode is %s: set database.caSecret to a Secret with the authority's ca.crt" $database.sslMode) -}}
{{- end -}}
{{- end -}}

{{- define "bizosaas.validateCache" -}}
{{- $cache := .Values.cache -}}
{{- if eq $cache.mode "external" -}}
{{- if not (or $cache.host $cache.urlFromSecret) -}}
{{- fail "cache.mode is external: set cache.host to the host of the Redis, or cache.urlFromSecret" -}}
{{- end -}}
{{- if and $cache.host $cache.urlFromSecret -}}
{{- fail "cache.host and cache.urlFromSecret are both set: keep one of them" -}}
{{- end -}}
{{- if and $cache.urlFromSecret (not (or .Values.secrets.existingSecret (get .Values.secrets.overrides "redis-url"))) -}}
{{- fail "cache.urlFromSecret needs secrets.existingSecret with the key redis-url" -}}
{{- end -}}
{{- if and $cache.auth (not (or .Values.secrets.existingSecret (get .Values.secrets.overrides "cache-password"))) -}}
{{- fail "cache.auth is on for an external Redis: set secrets.existingSecret (key cache-password), or secrets.overrides.cache-password" -}}
{{- end -}}
{{- else if or $cache.host $cache.urlFromSecret -}}
{{- fail (printf "cache.host or cache.urlFromSecret is set, but cache.mode is %s: set cache.mode=external" $cache.mode) -}}
{{- end -}}
{{- end -}}

{{- define "bizosaas.validateLlm" -}}
{{- $llm := .Values.llm -}}
{{- if and (eq $llm.mode "external") (not $llm.baseUrl) -}}
{{- fail "llm.mode is external: set llm.baseUrl to the address of an OpenAI-compatible server" -}}
{{- end -}}
{{- if and (ne $llm.mode "external") (or $llm.baseUrl $llm.apiKey) -}}
{{- fail (printf "llm.baseUrl or llm.apiKey is set, but llm.mode is %s: set llm.mode=external" $llm.mode) -}}
{{- end -}}
{{- if and .Values.mail.smtp (not (and .Values.mail.from .Values.mail.publicUrl)) -}}
{{- fail "mail.smtp is on: set mail.from and mail.publicUrl" -}}
{{- end -}}
{{- if and .Values.mail.smtp (not (or .Values.secrets.existingSecret (get .Values.secrets.overrides "mail-url"))) -}}
{{- fail "mail.smtp is on: set secrets.existingSecret with the key mail-url, or secrets.overrides.mail-url" -}}
{{- end -}}
{{- if and $llm.apiKey (not (or .Values.secrets.existingSecret (get .Values.secrets.overrides "llm-api-key"))) -}}
{{- fail "llm.apiKey is on: set secrets.existingSecret with the key llm-api-key, or secrets.overrides.llm-api-key" -}}
{{- end -}}
{{- end -}}

{{- define "bizosaas.validateMigrations" -}}
{{- $migrations := .Values.migrations -}}
{{- if eq .Values.database.mode "bundled" -}}
{{- if eq $migrations.mode "hook" -}}
{{- fail "migrations.mode is hook, but the bundled Postgres starts after the hook: use migrations.mode=job, or an external database" -}}
{{- end -}}
{{- if eq $migrations.bootstrap "skip" -}}
{{- fail "migrations.bootstrap is skip, but nobody else makes the roles of the bundled Postgres: use migrations.bootstrap=full" -}}
{{- end -}}
{{- if or $migrations.host $migrations.port -}}
{{- fail "migrations.host and migrations.port are for an external database" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Most replicas of a service. */}}
{{- define "bizosaas.mostReplicas" -}}
{{- ternary .autoscaling.maxReplicas .replicas .autoscaling.enabled -}}
{{- end -}}

{{/* Connections of all services together: steady, and while all of them are updated at once. */}}
{{- define "bizosaas.connections" -}}
{{- $steady := 0 -}}
{{- $rolling := 0 -}}
{{- range $name, $_ := .Values.services -}}
{{- $service := include "bizosaas.service" (dict "root" $ "name" $name) | fromYaml -}}
{{- $replicas := include "bizosaas.mostReplicas" $service | int -}}
{{- $steady = add $steady (mul $replicas $service.poolSize) -}}
{{- $rolling = add $rolling (mul (add1 $replicas) $service.poolSize) -}}
{{- end -}}
steady: {{ $steady }}
rolling: {{ $rolling }}
{{- end -}}

{{- define "bizosaas.validateServices" -}}
{{- $connections := include "bizosaas.connections" . | fromYaml -}}
{{- if gt (int $connections.steady) (int .Values.database.connectionBudget) -}}
{{- fail (printf "the services may open %d database connections (sum of greatest replicas x poolSize), more than database.connectionBudget %d: lower poolSize, replicas or autoscaling.maxReplicas, or raise the budget if the server has room" (int $connections.steady) (int .Values.database.connectionBudget)) -}}
{{- end -}}
{{- $most := get .Values.database.bundled.settings "max_connections" | default 100 | int -}}
{{- if and (eq .Values.database.mode "bundled") (gt (add $connections.rolling 10 | int) $most) -}}
{{- fail (printf "during an update the services may open %d database connections; with 10 for the operator that is more than database.bundled.settings.max_connections %d" (int $connections.rolling) $most) -}}
{{- end -}}
{{- range $name, $_ := .Values.services -}}
{{- $service := include "bizosaas.service" (dict "root" $ "name" $name) | fromYaml -}}
{{- $life := $service.lifecycle -}}
{{- $need := add $life.preStopSleepSeconds $life.drainDelaySeconds $life.gracePeriodSeconds 12 | int -}}
{{- if lt (int $life.terminationGracePeriodSeconds) $need -}}
{{- fail (printf "%s: lifecycle.terminationGracePeriodSeconds is %d, but stopping in order can take %d seconds (preStop, drain, grace period and 12)" $name (int $life.terminationGracePeriodSeconds) $need) -}}
{{- end -}}
{{- if and $service.autoscaling.enabled (gt (int $service.autoscaling.minReplicas) (int $service.autoscaling.maxReplicas)) -}}
{{- fail (printf "%s: autoscaling.minReplicas is greater than maxReplicas" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "bizosaas.validateRouting" -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.enabled: set ingress.hosts to at least one host name" -}}
{{- end -}}
{{- if and .Values.gateway.enabled (not .Values.gateway.parentRefs) -}}
{{- fail "gateway.enabled: set gateway.parentRefs to the Gateway that the route belongs to" -}}
{{- end -}}
{{- end -}}
