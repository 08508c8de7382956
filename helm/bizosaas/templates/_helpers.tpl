{{/* Prefix of the names of objects. 40 characters leave room for the longest suffix and what controllers append. */}}
{{- define "bizosaas.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels that select all pods of the release. Selectors are immutable: never add to these. */}}
{{- define "bizosaas.instanceLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels that select the pods of one component: (dict "root" $ "component" "crm") */}}
{{- define "bizosaas.selectorLabels" -}}
{{ include "bizosaas.instanceLabels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of an object. */}}
{{- define "bizosaas.labels" -}}
{{ include "bizosaas.selectorLabels" . }}
app.kubernetes.io/part-of: bizosaas
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The head of an object's metadata: (dict "root" $ "component" "crm" "name" "bizosaas-crm" "annotations" (dict)) */}}
{{- define "bizosaas.metadata" -}}
name: {{ .name }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "bizosaas.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "bizosaas.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "bizosaas.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* An image of the platform: (dict "root" $ "name" "crm") */}}
{{- define "bizosaas.image" -}}
{{- $image := .root.Values.image -}}
{{- $registry := default .root.Values.global.imageRegistry $image.registry -}}
{{- with $registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- with $image.repository }}{{ trimSuffix "/" . }}/{{ end -}}
{{- .name -}}
{{- $digest := get $image.digests .name -}}
{{- if $digest }}@{{ $digest }}{{ else }}:{{ default .root.Chart.AppVersion $image.tag }}{{ end -}}
{{- end -}}

{{/* Somebody else's image: (dict "root" $ "image" "valkey/valkey:8") */}}
{{- define "bizosaas.foreignImage" -}}
{{- with .root.Values.global.imageRegistry }}{{ trimSuffix "/" . }}/{{ end -}}{{ .image }}
{{- end -}}

{{/* `name: value` pairs as a list of env entries, in the order of their names. */}}
{{- define "bizosaas.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{/* The values of one service: its own over the defaults. (dict "root" $ "name" "crm") gives YAML. */}}
{{- define "bizosaas.service" -}}
{{- $own := get .root.Values.services .name -}}
{{- mergeOverwrite (deepCopy .root.Values.defaults) (deepCopy $own) | toYaml -}}
{{- end -}}

{{/* Names of the schemas, which database logins and keys of the Secret are named after. */}}
{{- define "bizosaas.schemas" -}}
identity: identity
ai-orchestrator: ai
chatbot: chat
crm: crm
analytics: analytics
{{- end -}}

{{/* Address of a service inside the cluster: (dict "root" $ "name" "crm") */}}
{{- define "bizosaas.url" -}}
{{- $port := (get .root.Values.services .name).port -}}
http://{{ include "bizosaas.fullname" .root }}-{{ .name }}.{{ .root.Release.Namespace }}.svc.{{ .root.Values.clusterDomain }}:{{ $port }}
{{- end -}}

{{- define "bizosaas.databaseHost" -}}
{{- if eq .Values.database.mode "bundled" -}}
{{ include "bizosaas.fullname" . }}-postgres.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- else -}}
{{ .Values.database.host }}
{{- end -}}
{{- end -}}

{{- define "bizosaas.databasePort" -}}
{{- ternary 5432 (int .Values.database.port) (eq .Values.database.mode "bundled") -}}
{{- end -}}

{{- define "bizosaas.cacheHost" -}}
{{- if eq .Values.cache.mode "bundled" -}}
{{ include "bizosaas.fullname" . }}-redis.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- else -}}
{{ .Values.cache.host }}
{{- end -}}
{{- end -}}

{{- define "bizosaas.cachePort" -}}
{{- ternary 6379 (int .Values.cache.port) (eq .Values.cache.mode "bundled") -}}
{{- end -}}

{{- define "bizosaas.llmUrl" -}}
{{- if eq .Values.llm.mode "bundled" -}}
http://{{ include "bizosaas.fullname" . }}-ollama.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}:11434
{{- else if eq .Values.llm.mode "external" -}}
{{ .Values.llm.baseUrl }}
{{- end -}}
{{- end -}}

{{- define "bizosaas.issuer" -}}
{{- default (include "bizosaas.url" (dict "root" . "name" "identity")) .Values.issuer -}}
{{- end -}}

{{/* (dict "root" $ "class" "") */}}
{{- define "bizosaas.storageClass" -}}
{{- with default .root.Values.global.storageClass .class }}
storageClassName: {{ . }}
{{- end }}
{{- end -}}
