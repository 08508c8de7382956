{{/* The container of the bundled Ollama, without what every container has. */}}
{{- define "bizosaas.ollamaContainer" -}}
args: [serve]
env:
  # HOME: the server makes itself a key there
  {{- include "bizosaas.env" (dict "HOME" "/models" "OLLAMA_MODELS" "/models/models" "OLLAMA_HOST" "0.0.0.0:11434") | nindent 2 }}
ports:
  - {name: http, containerPort: 11434}
startupProbe:
  httpGet: {path: /, port: http}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  tcpSocket: {port: http}
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /api/version, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
resources:
  {{- toYaml .Values.llm.bundled.resources | nindent 2 }}
{{- end -}}

{{/* Asks the server to pull the model; the server needs the internet for it, this pod does not. */}}
{{- define "bizosaas.ollamaPull" -}}
{{- $env := dict "HOME" "/tmp" "OLLAMA_HOST" (include "bizosaas.llmUrl" .) -}}
{{- include "bizosaas.pod" (dict
  "root" . "component" "ollama-pull" "name" "pull"
  "image" (include "bizosaas.foreignImage" (dict "root" . "image" .Values.llm.bundled.image))
  "restartPolicy" "OnFailure"
  "podSecurityContext" .Values.llm.bundled.podSecurityContext
  "container" (dict
    "args" (list "pull" (.Values.llm.model | default "llama3.2"))
    "env" (include "bizosaas.env" $env | fromYamlArray)
    "resources" .Values.operator.resources)
  "writable" (list "/tmp")) -}}
{{- end -}}
