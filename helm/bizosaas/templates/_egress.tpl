{{/* Peers of an address, for a NetworkPolicy: (dict "root" $ "host" "postgres.apps.svc.cluster.local" "to" (list)).
A policy knows namespaces, pods and networks, but no names, so the host says how narrow the rule can be. */}}
{{- define "bizosaas.peers" -}}
{{- $labels := splitList "." .host -}}
{{- $count := len $labels -}}
{{- if .to -}}
{{ toYaml .to }}
{{- else if regexMatch "^[0-9]+(\\.[0-9]+){3}$" .host -}}
- ipBlock: {cidr: {{ .host }}/32}
{{- else if eq $count 1 -}}
{{- /* a Service of the same namespace */ -}}
- podSelector: {}
{{- else if regexMatch "^.+\\.[^.]+\\.svc(\\.|$)" .host -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ regexReplaceAll "^.+\\.([^.]+)\\.svc(\\..*)?$" .host "${1}" }}
{{- else -}}
{{- if eq $count 2 }}
{{- /* `name.namespace`, or a host of the internet */}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ index $labels 1 }}
{{- end }}
- ipBlock: {cidr: 0.0.0.0/0}
- ipBlock: {cidr: "::/0"}
{{- end -}}
{{- end -}}

{{/* Host and port of a URL, as YAML. */}}
{{- define "bizosaas.hostPort" -}}
{{- $parts := urlParse . -}}
host: {{ $parts.hostname | quote }}
port: {{ regexFind "[0-9]+$" (trimPrefix $parts.hostname $parts.host) | default (ternary 443 80 (eq $parts.scheme "https")) }}
{{- end -}}

{{/* One policy that lets components reach peers:
(dict "root" $ "name" "database" "components" (list "crm") "peers" "yaml" "port" 5432) */}}
{{- define "bizosaas.egressPolicy" -}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "bizosaas.metadata" (dict "root" .root "component" "network" "name" (printf "%s-%s" (include "bizosaas.fullname" .root) .name)) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "bizosaas.instanceLabels" .root | nindent 6 }}
    matchExpressions:
      - {key: app.kubernetes.io/component, operator: In, values: {{ toJson .components }}}
  policyTypes: [Egress]
  egress:
    - to:
        {{- .peers | nindent 8 }}
      ports:
        - {protocol: TCP, port: {{ .port }}}
{{- end -}}

{{/* One policy that lets components of the release into another one: (dict "root" $ "name" "postgres" "from" (list "crm") "port" 5432) */}}
{{- define "bizosaas.ingressPolicy" -}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "bizosaas.metadata" (dict "root" .root "component" "network" "name" (printf "%s-%s" (include "bizosaas.fullname" .root) .name)) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "bizosaas.selectorLabels" (dict "root" .root "component" .name) | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              {{- include "bizosaas.instanceLabels" .root | nindent 14 }}
            matchExpressions:
              - {key: app.kubernetes.io/component, operator: In, values: {{ toJson .from }}}
      ports:
        - {protocol: TCP, port: {{ .port }}}
{{- end -}}

{{/* Peers inside the release: (dict "root" $ "component" "postgres") */}}
{{- define "bizosaas.ownPeer" -}}
- podSelector:
    matchLabels:
      {{- include "bizosaas.selectorLabels" . | nindent 6 }}
{{- end -}}
