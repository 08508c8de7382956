{{/* The container of the operator's binary, without what every container has. (dict "root" $ "purpose" "migrate" "args" (list "migrate")) */}}
{{- define "bizosaas.operatorContainer" -}}
args: {{ toJson .args }}
env:
  {{- include "bizosaas.env" (include "bizosaas.operatorEnv" . | fromYaml) | nindent 2 }}
resources:
  {{- toYaml .root.Values.operator.resources | nindent 2 }}
{{- end -}}

{{- define "bizosaas.operatorPod" -}}
{{- include "bizosaas.pod" (dict
  "root" .root "component" .component "name" .name
  "image" (include "bizosaas.image" (dict "root" .root "name" "bizosaas"))
  "restartPolicy" "Never"
  "container" (include "bizosaas.operatorContainer" . | fromYaml)
  "secretKeys" (include "bizosaas.operatorKeys" . | fromYamlArray)
  "volumes" (include "bizosaas.caVolumes" .root | fromYamlArray)
  "mounts" (include "bizosaas.caMounts" .root | fromYamlArray)
  "initContainers" (.initContainers | default list)
  "scheduling" (include "bizosaas.scheduling" .root.Values.defaults | fromYaml)
  "serviceAccountName" (.account | default "")) -}}
{{- end -}}

{{/* (dict "root" $ "account" "") */}}
{{- define "bizosaas.migratePod" -}}
{{- $values := .root.Values -}}
{{- $args := ternary (list "migrate") (list "migrate" "--skip-bootstrap") (eq $values.migrations.bootstrap "full") -}}
{{- $wait := list -}}
{{- if eq $values.database.mode "bundled" -}}
{{- $wait = include "bizosaas.waitForPostgres" .root | fromYamlArray -}}
{{- end -}}
{{- include "bizosaas.operatorPod" (dict "root" .root "purpose" "migrate" "component" "migrate" "name" "migrate"
  "args" $args "account" .account "initContainers" $wait) -}}
{{- end -}}

{{/* Pulling and initialising Postgres takes longer than a try of the Job; waiting costs no try. */}}
{{- define "bizosaas.waitForPostgres" -}}
- name: wait-for-postgres
  image: {{ include "bizosaas.foreignImage" (dict "root" . "image" .Values.database.bundled.image) | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [sh, -c, 'until pg_isready --quiet --username=postgres --host="$POSTGRES_HOST" --port="$POSTGRES_PORT"; do sleep 1; done']
  env:
    - {name: POSTGRES_HOST, value: {{ include "bizosaas.databaseHost" . | quote }}}
    - {name: POSTGRES_PORT, value: {{ include "bizosaas.databasePort" . | quote }}}
  securityContext:
    {{- toYaml .Values.defaults.securityContext | nindent 4 }}
  resources:
    {{- toYaml .Values.operator.resources | nindent 4 }}
{{- end -}}
