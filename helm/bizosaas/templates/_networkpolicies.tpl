{{/* (dict "root" $ "clients" (list "crm")) */}}
{{- define "bizosaas.databasePolicies" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- if eq $values.database.mode "bundled" -}}
{{- $own := include "bizosaas.ownPeer" (dict "root" $root "component" "postgres") -}}
{{ include "bizosaas.egressPolicy" (dict "root" $root "name" "database" "components" .clients "peers" $own "port" 5432) }}
{{ include "bizosaas.ingressPolicy" (dict "root" $root "name" "postgres" "from" .clients "port" 5432) }}
{{- else -}}
{{- $rule := $values.networkPolicy.database -}}
{{- $peers := include "bizosaas.peers" (dict "root" $root "host" $values.database.host "to" $rule.to) -}}
{{ include "bizosaas.egressPolicy" (dict "root" $root "name" "database" "components" .clients "peers" $peers
  "port" (default $values.database.port $rule.podPort)) }}
{{- if or $values.migrations.host $values.migrations.port }}
{{- $direct := default $values.database.host $values.migrations.host }}
{{ include "bizosaas.egressPolicy" (dict "root" $root "name" "migrate" "components" (list "migrate")
  "peers" (include "bizosaas.peers" (dict "root" $root "host" $direct "to" list))
  "port" (default $values.database.port $values.migrations.port)) }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* (dict "root" $ "clients" (list "crm")) */}}
{{- define "bizosaas.cachePolicies" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- if eq $values.cache.mode "bundled" -}}
{{- $own := include "bizosaas.ownPeer" (dict "root" $root "component" "redis") -}}
{{ include "bizosaas.egressPolicy" (dict "root" $root "name" "cache" "components" .clients "peers" $own "port" 6379) }}
{{ include "bizosaas.ingressPolicy" (dict "root" $root "name" "redis" "from" .clients "port" 6379) }}
{{- else if eq $values.cache.mode "external" -}}
{{- $rule := $values.networkPolicy.cache -}}
{{- /* the address may be in the Secret, where nobody reads it: then any host */ -}}
{{- $host := default "in.the.secret" $values.cache.host -}}
{{- $peers := include "bizosaas.peers" (dict "root" $root "host" $host "to" $rule.to) -}}
{{ include "bizosaas.egressPolicy" (dict "root" $root "name" "cache" "components" .clients "peers" $peers
  "port" (default $values.cache.port $rule.podPort)) }}
{{- end -}}
{{- end -}}

{{- define "bizosaas.llmPolicies" -}}
{{- $client := list "ai-orchestrator" -}}
{{- if eq .Values.llm.mode "external" -}}
{{- $rule := .Values.networkPolicy.llm -}}
{{- $to := include "bizosaas.hostPort" .Values.llm.baseUrl | fromYaml -}}
{{- $peers := include "bizosaas.peers" (dict "root" . "host" $to.host "to" $rule.to) -}}
{{ include "bizosaas.egressPolicy" (dict "root" . "name" "llm" "components" $client "peers" $peers "port" (default $to.port $rule.podPort)) }}
{{- else if eq .Values.llm.mode "bundled" -}}
{{- $clients := ternary (append $client "ollama-pull") $client .Values.llm.bundled.pull -}}
{{- $own := include "bizosaas.ownPeer" (dict "root" . "component" "ollama") -}}
{{ include "bizosaas.egressPolicy" (dict "root" . "name" "llm" "components" $clients "peers" $own "port" 11434) }}
{{ include "bizosaas.ingressPolicy" (dict "root" . "name" "ollama" "from" $clients "port" 11434) }}
{{- if .Values.llm.bundled.pull }}
{{ include "bizosaas.egressPolicy" (dict "root" . "name" "ollama-models" "components" (list "ollama") "port" 443
  "peers" (include "bizosaas.peers" (dict "root" . "host" "registry.of.models" "to" list))) }}
{{- end }}
{{- end -}}
{{- end -}}
