{{/* The main container of a service, without what every container has: (dict "root" $ "name" "crm" "service" $merged) */}}
{{- define "bizosaas.serviceContainer" -}}
{{- $service := .service -}}
{{- $env := merge (dict) .service.env (include "bizosaas.serviceEnv" . | fromYaml) -}}
{{- /* a name twice is refused by server-side apply: the more special one wins */ -}}
{{- range $service.extraEnv -}}
{{- $env = omit $env .name -}}
{{- end -}}
ports:
  - {name: http, containerPort: {{ $service.port }}}
  - {name: metrics, containerPort: {{ $service.metricsPort }}}
envFrom:
  - configMapRef: {name: {{ include "bizosaas.fullname" .root }}}
  {{- with $service.extraEnvFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  {{- include "bizosaas.env" $env | nindent 2 }}
  {{- with $service.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
startupProbe:
  httpGet: {path: /health/live, port: http}
  {{- toYaml $service.probes.startup | nindent 2 }}
livenessProbe:
  httpGet: {path: /health/live, port: http}
  {{- toYaml $service.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet: {path: /health/ready, port: http}
  {{- toYaml $service.probes.readiness | nindent 2 }}
{{- with $service.lifecycle.preStopSleepSeconds }}
lifecycle:
  # an action of the kubelet: the image has no shell
  preStop: {sleep: {seconds: {{ . }}}}
{{- end }}
resources:
  {{- toYaml $service.resources | nindent 2 }}
{{- end -}}

{{/* One replica a node where possible, counted among pods of one revision. */}}
{{- define "bizosaas.spread" -}}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "bizosaas.selectorLabels" . | nindent 6 }}
  matchLabelKeys: [pod-template-hash]
{{- end -}}

{{/* The pod of a service: (dict "root" $ "name" "crm" "service" $merged) */}}
{{- define "bizosaas.servicePod" -}}
{{- $service := .service -}}
{{- $spread := include "bizosaas.spread" (dict "root" .root "component" .name) | fromYamlArray -}}
{{- $scheduling := merge (dict "topologySpreadConstraints" ($service.topologySpreadConstraints | default $spread)) $service -}}
{{- $checksum := dict "checksum/config" (include "bizosaas.config" .root | sha256sum) -}}
{{- include "bizosaas.pod" (dict
  "root" .root "component" .name "name" .name
  "image" (include "bizosaas.image" .)
  "labels" (merge (dict "bizosaas/metrics" "true") $service.podLabels)
  "annotations" (merge (dict) $service.podAnnotations $checksum)
  "podSecurityContext" $service.podSecurityContext
  "securityContext" $service.securityContext
  "gracePeriod" $service.lifecycle.terminationGracePeriodSeconds
  "container" (include "bizosaas.serviceContainer" . | fromYaml)
  "secretKeys" (include "bizosaas.serviceKeys" . | fromYamlArray)
  "volumes" (concat (include "bizosaas.caVolumes" .root | fromYamlArray) $service.extraVolumes)
  "mounts" (concat (include "bizosaas.caMounts" .root | fromYamlArray) $service.extraVolumeMounts)
  "initContainers" $service.initContainers "sidecars" $service.sidecars
  "scheduling" (include "bizosaas.scheduling" $scheduling | fromYaml)) -}}
{{- end -}}
