{{/* The container of the bundled Redis, without what every container has. The password goes into a file in memory, so that
no command line shows it. */}}
{{- define "bizosaas.redisContainer" -}}
{{- $bundled := .Values.cache.bundled -}}
command:
  - sh
  - -ec
  - |
    umask 077
    printf 'requirepass %s\n' "$(cat "$CACHE_PASSWORD_FILE")" >/tmp/auth.conf
    exec "$(command -v valkey-server || command -v redis-server)" /tmp/auth.conf --dir /data --save '' --appendonly no \
      --maxmemory "$MAX_MEMORY" --maxmemory-policy allkeys-lru
env:
  {{- include "bizosaas.env" (dict
    "CACHE_PASSWORD_FILE" (printf "%s/cache-password" (include "bizosaas.secretPath" .))
    "MAX_MEMORY" $bundled.maxMemory) | nindent 2 }}
ports:
  - {name: redis, containerPort: 6379}
startupProbe:
  tcpSocket: {port: redis}
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  tcpSocket: {port: redis}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 6
readinessProbe:
  exec:
    command:
      - sh
      - -ec
      - |
        REDISCLI_AUTH="$(cat "$CACHE_PASSWORD_FILE")"
        export REDISCLI_AUTH
        "$(command -v valkey-cli || command -v redis-cli)" -h 127.0.0.1 ping | grep -q PONG
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
resources:
  {{- toYaml $bundled.resources | nindent 2 }}
{{- end -}}
