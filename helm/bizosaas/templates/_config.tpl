{{/* What is no secret and the same for all five services: the data of the ConfigMap. */}}
{{- define "bizosaas.config" -}}
{{- $root := . -}}
ENVIRONMENT: {{ .Values.environment }}
ISSUER: {{ include "bizosaas.issuer" . | quote }}
LOG_FORMAT: {{ .Values.log.format }}
LOG_LEVEL: {{ .Values.log.level | quote }}
{{ include "bizosaas.databaseConfig" . }}
{{ include "bizosaas.cacheConfig" . }}
{{ include "bizosaas.siblingConfig" . }}
{{- with .Values.tracing.endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . | quote }}
{{- end }}
{{- end -}}

{{- define "bizosaas.databaseConfig" -}}
POSTGRES_HOST: {{ include "bizosaas.databaseHost" . | quote }}
POSTGRES_PORT: {{ include "bizosaas.databasePort" . | quote }}
POSTGRES_DB: {{ .Values.database.name | quote }}
{{ include "bizosaas.tlsConfig" . }}
{{- end -}}

{{/* The names are libpq's. */}}
{{- define "bizosaas.tlsConfig" -}}
{{- with .Values.database.sslMode }}
PGSSLMODE: {{ . }}
{{- end }}
{{- if .Values.database.caSecret }}
PGSSLROOTCERT: /run/secrets/database-ca/ca.crt
{{- end }}
{{- end -}}

{{- define "bizosaas.cacheConfig" -}}
{{- if .Values.cache.urlFromSecret }}
REDIS_URL_FILE: {{ include "bizosaas.secretPath" . }}/redis-url
{{- else if ne .Values.cache.mode "off" }}
CACHE_HOST: {{ include "bizosaas.cacheHost" . | quote }}
CACHE_PORT: {{ include "bizosaas.cachePort" . | quote }}
{{- if include "bizosaas.cacheAuth" . }}
CACHE_PASSWORD_FILE: {{ include "bizosaas.secretPath" . }}/cache-password
{{- end }}
{{- end }}
{{- end -}}

{{- define "bizosaas.siblingConfig" -}}
{{- range $name, $_ := .Values.services }}
{{ $name | upper | replace "-" "_" }}_URL: {{ include "bizosaas.url" (dict "root" $ "name" $name) }}
{{- end }}
{{- end -}}

{{/* A service's own variables: (dict "root" $ "name" "crm" "service" $merged) */}}
{{- define "bizosaas.serviceEnv" -}}
{{- $schema := get (include "bizosaas.schemas" .root | fromYaml) .name -}}
{{- $path := include "bizosaas.secretPath" .root -}}
{{- $lifecycle := .service.lifecycle -}}
PORT: {{ .service.port }}
ADMIN_PORT: {{ .service.metricsPort }}
DB_POOL_SIZE: {{ .service.poolSize }}
DRAIN_DELAY: {{ $lifecycle.drainDelaySeconds }}s
GRACE_PERIOD: {{ $lifecycle.gracePeriodSeconds }}s
PLATFORM_SECRET_FILE: {{ $path }}/platform-secret
POSTGRES_PASSWORD_FILE: {{ $path }}/{{ $schema }}-db-password
{{- if eq .name "identity" }}
REGISTRATION_POLICY: {{ .root.Values.registration.policy }}
{{- with .root.Values.mail.publicUrl }}
PUBLIC_URL: {{ . | quote }}
{{- end }}
{{- end }}
{{- if has .name (list "identity" "analytics") }}
{{- if .root.Values.mail.smtp }}
MAIL_URL_FILE: {{ $path }}/mail-url
{{- end }}
{{- with .root.Values.mail.from }}
MAIL_FROM: {{ . | quote }}
{{- end }}
{{- end }}
{{- if eq .name "ai-orchestrator" }}
{{- with include "bizosaas.llmUrl" .root }}
LLM_BASE_URL: {{ . | quote }}
{{- end }}
{{- with .root.Values.llm.model }}
LLM_MODEL: {{ . | quote }}
{{- end }}
{{- if .root.Values.llm.apiKey }}
LLM_API_KEY_FILE: {{ $path }}/llm-api-key
{{- end }}
{{- end }}
{{- end -}}

{{/* The operator's variables, in full: its Job may be a hook, which the ConfigMap does not exist for.
(dict "root" $ "purpose" "migrate", "preflight" or "smoke") */}}
{{- define "bizosaas.operatorEnv" -}}
LOG_FORMAT: {{ .root.Values.log.format }}
LOG_LEVEL: {{ .root.Values.log.level | quote }}
{{- if ne .purpose "smoke" }}
{{ include "bizosaas.operatorDatabase" . }}
{{- end }}
{{- if eq .purpose "preflight" }}
PLATFORM_SECRET_FILE: {{ include "bizosaas.secretPath" .root }}/platform-secret
{{ include "bizosaas.cacheConfig" .root }}
{{- end }}
{{- if ne .purpose "migrate" }}
ENVIRONMENT: {{ .root.Values.environment }}
REGISTRATION_POLICY: {{ .root.Values.registration.policy }}
ISSUER: {{ include "bizosaas.issuer" .root | quote }}
{{ include "bizosaas.siblingConfig" .root }}
{{- end }}
{{- end -}}

{{- define "bizosaas.operatorDatabase" -}}
{{- $root := .root -}}
{{- $path := include "bizosaas.secretPath" $root -}}
{{- $migrate := eq .purpose "migrate" -}}
{{- $direct := ternary $root.Values.migrations (dict) $migrate -}}
POSTGRES_HOST: {{ $direct.host | default (include "bizosaas.databaseHost" $root) | quote }}
POSTGRES_PORT: {{ $direct.port | default (include "bizosaas.databasePort" $root) | quote }}
POSTGRES_DB: {{ $root.Values.database.name | quote }}
{{ include "bizosaas.tlsConfig" $root }}
{{- if eq $root.Values.migrations.bootstrap "full" }}
POSTGRES_USER: {{ $root.Values.database.adminUser | quote }}
POSTGRES_PASSWORD_FILE: {{ $path }}/postgres-admin-password
{{- end }}
{{- range $service, $schema := include "bizosaas.schemas" $root | fromYaml }}
{{ upper $schema }}_DB_PASSWORD_FILE: {{ $path }}/{{ $schema }}-db-password
{{- if $migrate }}
{{ upper $schema }}_MIGRATOR_PASSWORD_FILE: {{ $path }}/{{ $schema }}-migrator-password
{{- end }}
{{- end }}
{{- end -}}

{{/* Keys of the Secret that the operator gets, as a YAML list: those of the files that [bizosaas.operatorEnv] names. */}}
{{- define "bizosaas.operatorKeys" -}}
{{- $prefix := printf "%s/" (include "bizosaas.secretPath" .root) -}}
{{- range $name, $value := include "bizosaas.operatorEnv" . | fromYaml }}
{{- if hasPrefix $prefix ($value | toString) }}
- {{ trimPrefix $prefix $value }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Keys of the Secret that a service gets, as a YAML list. */}}
{{- define "bizosaas.serviceKeys" -}}
{{- $schema := get (include "bizosaas.schemas" .root | fromYaml) .name -}}
- platform-secret
- {{ $schema }}-db-password
{{- if .root.Values.cache.urlFromSecret }}
- redis-url
{{- else if include "bizosaas.cacheAuth" .root }}
- cache-password
{{- end }}
{{- if and (eq .name "ai-orchestrator") .root.Values.llm.apiKey }}
- llm-api-key
{{- end }}
{{- if and (has .name (list "identity" "analytics")) .root.Values.mail.smtp }}
- mail-url
{{- end }}
{{- end -}}
