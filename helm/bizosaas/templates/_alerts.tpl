{{/* The platform's alerts. Each says what to look at first. */}}
{{- define "bizosaas.alerts" -}}
{{- $job := printf "job=\"%s-metrics\",namespace=\"%s\"" (include "bizosaas.fullname" .) .Release.Namespace -}}
{{- $namespace := printf "namespace=\"%s\"" .Release.Namespace -}}
- alert: BizosaasServiceDown
  expr: min by (component) (up{ {{- $job -}} }) == 0
  for: 2m
  labels: {severity: critical}
  annotations:
    summary: "A replica of {{ "{{ $labels.component }}" }} does not answer scrapes"
    description: "kubectl -n {{ .Release.Namespace }} get pods, then its log."
{{- range $name, $_ := .Values.services }}
- alert: BizosaasServiceMissing
  expr: absent(up{ {{- $job -}},component="{{ $name }}"})
  for: 5m
  labels: {severity: critical, component: {{ $name }}}
  annotations:
    summary: "{{ $name }} has no replica"
    description: "kubectl -n {{ $.Release.Namespace }} describe deployment {{ include "bizosaas.fullname" $ }}-{{ $name }}."
{{- end }}
- alert: BizosaasErrors
  expr: |
    sum by (service) (rate(http_request_duration_seconds_count{ {{- $namespace -}},status=~"5.."}[5m]))
      / sum by (service) (rate(http_request_duration_seconds_count{ {{- $namespace -}} }[5m])) > 0.05
  for: 10m
  labels: {severity: critical}
  annotations:
    summary: "{{ "{{ $labels.service }}" }} answers more than 5 % of its requests with a server error"
    description: "The log has one line with the cause for each, with the request's id."
- alert: BizosaasSlow
  expr: |
    histogram_quantile(0.99, sum by (service, le) (rate(http_request_duration_seconds_bucket{ {{- $namespace -}},route!~"/v1/.*|/api/chat.*"}[5m]))) > 1
  for: 15m
  labels: {severity: warning}
  annotations:
    summary: "One request in a hundred to {{ "{{ $labels.service }}" }} takes longer than a second"
    description: "Look at db_transaction_seconds and db_pool_wait_seconds; routes that wait for a model are left out."
- alert: BizosaasDatabasePoolBusy
  expr: |
    histogram_quantile(0.95, sum by (schema, le) (rate(db_pool_wait_seconds_bucket{ {{- $namespace -}} }[5m]))) > 0.25
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: "Requests of {{ "{{ $labels.schema }}" }} wait for a database connection"
    description: "Raise poolSize within database.connectionBudget, or find the slow transaction in db_transaction_seconds."
- alert: BizosaasEventsStuck
  expr: |
    sum by (source) (increase(events_consumer_failures_total{ {{- $namespace -}} }[15m])) > 10
      unless sum by (source) (increase(events_consumed_total{ {{- $namespace -}} }[15m])) > 0
  for: 15m
  labels: {severity: warning}
  annotations:
    summary: "Events of {{ "{{ $labels.source }}" }} are not taken in"
    description: "Nothing is lost; what depends on them is out of date."
- alert: BizosaasLoginsRefused
  expr: sum(increase(identity_password_hashes_rejected_total{ {{- $namespace -}} }[5m])) > 50
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: "Logins are refused because too many passwords are checked at once"
    description: "An attack, or too few replicas of identity."
- alert: BizosaasMemory
  expr: max by (component) (process_resident_memory_bytes{ {{- $job -}} }) > 200 * 1024 * 1024
  for: 15m
  labels: {severity: warning}
  annotations:
    summary: "{{ "{{ $labels.component }}" }} holds more than 200 MiB"
    description: "The default limit is 256 MiB; idle it needs less than 32."
{{- end -}}
