{{/* Where the files are. */}}
{{- define "bizosaas.secretPath" -}}/run/secrets/bizosaas{{- end -}}

{{- define "bizosaas.secretName" -}}
{{- default (include "bizosaas.fullname" .) .Values.secrets.existingSecret -}}
{{- end -}}

{{/* Whether Redis wants the password of the Secret. */}}
{{- define "bizosaas.cacheAuth" -}}
{{- if or (eq .Values.cache.mode "bundled") (and (eq .Values.cache.mode "external") .Values.cache.auth) -}}true{{- end -}}
{{- end -}}

{{/* A volume with the given keys as files, and no others: (dict "root" $ "keys" (list "platform-secret")).
A missing key keeps the pod in ContainerCreating with an event that names it. */}}
{{- define "bizosaas.secretVolume" -}}
{{- $root := .root -}}
{{- $own := list -}}
{{- $elsewhere := list -}}
{{- range .keys -}}
{{- $override := get $root.Values.secrets.overrides . -}}
{{- if $override -}}
{{- $item := dict "key" ($override.key | default .) "path" . -}}
{{- $elsewhere = append $elsewhere (dict "secret" (dict "name" $override.name "items" (list $item))) -}}
{{- else -}}
{{- $own = append $own (dict "key" . "path" .) -}}
{{- end -}}
{{- end -}}
name: secrets
projected:
  # with fsGroup: readable for the pod's group, for nobody else
  defaultMode: 0440
  sources:
    {{- with $own }}
    - secret:
        name: {{ include "bizosaas.secretName" $root }}
        items:
          {{- toYaml . | nindent 10 }}
    {{- end }}
    {{- with $elsewhere }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{- define "bizosaas.secretMount" -}}
name: secrets
mountPath: {{ include "bizosaas.secretPath" . }}
readOnly: true
{{- end -}}

{{/* Keys of a generated Secret: one per line. */}}
{{- define "bizosaas.generatedKeys" -}}
platform-secret
postgres-admin-password
{{- range $service, $schema := include "bizosaas.schemas" . | fromYaml }}
{{ $schema }}-db-password
{{ $schema }}-migrator-password
{{- end }}
cache-password
{{- end -}}
