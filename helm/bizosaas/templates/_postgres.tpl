{{/* The container of the bundled Postgres, without what every container has. */}}
{{- define "bizosaas.postgresContainer" -}}
{{- $bundled := .Values.database.bundled -}}
args:
  - postgres
  {{- range $name, $value := $bundled.settings }}
  - -c
  - {{ printf "%s=%v" $name $value | quote }}
  {{- end }}
ports:
  - {name: postgres, containerPort: 5432}
env:
  {{- include "bizosaas.env" (dict
    "POSTGRES_USER" .Values.database.adminUser
    "POSTGRES_DB" .Values.database.name
    "POSTGRES_PASSWORD_FILE" (printf "%s/postgres-admin-password" (include "bizosaas.secretPath" .))
    "POSTGRES_INITDB_ARGS" $bundled.initdbArgs
    "PGDATA" "/var/lib/postgresql/data/pgdata") | nindent 2 }}
# By TCP: while the image initialises the volume, the server listens on its socket only.
startupProbe:
  exec: {command: {{ include "bizosaas.pgIsReady" . }}}
  periodSeconds: 2
  timeoutSeconds: 5
  # crash recovery of a large volume can take long
  failureThreshold: 300
livenessProbe:
  tcpSocket: {port: postgres}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  exec: {command: {{ include "bizosaas.pgIsReady" . }}}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
resources:
  {{- toYaml $bundled.resources | nindent 2 }}
{{- end -}}

{{- define "bizosaas.pgIsReady" -}}
{{ list "pg_isready" "--quiet" "--host=127.0.0.1" (printf "--username=%s" .Values.database.adminUser) (printf "--dbname=%s" .Values.database.name) | toJson }}
{{- end -}}

{{- define "bizosaas.postgresMounts" -}}
- {name: data, mountPath: /var/lib/postgresql/data}
- {name: shared-memory, mountPath: /dev/shm}
{{- end -}}

{{- define "bizosaas.postgresVolumes" -}}
{{- $bundled := .Values.database.bundled -}}
- name: shared-memory
  emptyDir: {medium: Memory, sizeLimit: {{ $bundled.sharedMemory }}}
{{- if not $bundled.persistence.enabled }}
- name: data
  emptyDir: {}
{{- else if $bundled.persistence.existingClaim }}
- name: data
  persistentVolumeClaim: {claimName: {{ $bundled.persistence.existingClaim }}}
{{- end }}
{{- end -}}
