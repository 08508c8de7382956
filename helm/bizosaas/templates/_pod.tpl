{{/* Every pod of the chart, whatever it runs, is this one, so that security defaults have one place.
(dict
  "root" $ "component" "crm" "name" "crm"
  "image" "bizosaas/crm:0.1.0"
  "labels" (dict) "annotations" (dict)
  "podSecurityContext" (dict)      over defaults.podSecurityContext
  "restartPolicy" "" "gracePeriod" 30
  "container" (dict ...)           args, env, ports, probes, resources ... of the main container
  "writable" (list "/tmp")         small directories in memory on the read-only root
  "secretKeys" (list ...)          files under /run/secrets/bizosaas
  "volumes" (list) "mounts" (list) "initContainers" (list) "sidecars" (list)
  "scheduling" (dict)              nodeSelector, tolerations, affinity, priorityClassName, topologySpreadConstraints
  "serviceAccountName" "") */}}
{{- define "bizosaas.pod" -}}
{{- $root := .root -}}
{{- $security := $root.Values.defaults.securityContext -}}
{{- $podSecurity := mergeOverwrite (deepCopy $root.Values.defaults.podSecurityContext) (deepCopy (.podSecurityContext | default dict)) -}}
{{- if .securityContext }}{{ $security = .securityContext }}{{ end -}}
{{- $scheduling := .scheduling | default dict -}}
metadata:
  labels:
    {{- include "bizosaas.selectorLabels" . | nindent 4 }}
    {{- with merge (dict) (.labels | default dict) $root.Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ .serviceAccountName | default (include "bizosaas.serviceAccountName" $root) }}
  automountServiceAccountToken: false
  # Otherwise Kubernetes puts `CRM_PORT=tcp://10.43.0.7:8004` and the like between the configuration's names.
  enableServiceLinks: false
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .gracePeriod | default 30 }}
  {{- with concat (deepCopy $root.Values.global.imagePullSecrets) }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml $podSecurity | nindent 4 }}
  {{- with $scheduling }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  {{- with .initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .name }}
      image: {{ .image | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      securityContext:
        {{- toYaml $security | nindent 8 }}
      {{- toYaml .container | nindent 6 }}
      {{- if or .secretKeys .writable .mounts }}
      volumeMounts:
        {{- if .secretKeys }}
        - {{ include "bizosaas.secretMount" $root | nindent 10 | trim }}
        {{- end }}
        {{- range $index, $path := .writable }}
        - {name: writable-{{ $index }}, mountPath: {{ $path }}}
        {{- end }}
        {{- with .mounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
    {{- with .sidecars }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if or .secretKeys .writable .volumes }}
  volumes:
    {{- if .secretKeys }}
    - {{ include "bizosaas.secretVolume" (dict "root" $root "keys" .secretKeys) | nindent 6 | trim }}
    {{- end }}
    {{- range $index, $path := .writable }}
    - {name: writable-{{ $index }}, emptyDir: {medium: Memory, sizeLimit: 64Mi}}
    {{- end }}
    {{- with .volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end -}}

{{/* The certificate of the database's authority, where one is given. */}}
{{- define "bizosaas.caVolumes" -}}
{{- if .Values.database.caSecret }}
- name: database-ca
  secret:
    secretName: {{ .Values.database.caSecret }}
    defaultMode: 0444
    items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- end -}}

{{- define "bizosaas.caMounts" -}}
{{- if .Values.database.caSecret }}
- {name: database-ca, mountPath: /run/secrets/database-ca, readOnly: true}
{{- end }}
{{- end -}}

{{/* Where a pod may run, without what is empty: of a map with any of these keys. */}}
{{- define "bizosaas.scheduling" -}}
{{- $from := . -}}
{{- range list "nodeSelector" "tolerations" "affinity" "priorityClassName" "topologySpreadConstraints" }}
{{- $key := . }}
{{- with get $from $key }}
{{ $key }}: {{ toJson . }}
{{- end }}
{{- end }}
{{- end -}}
