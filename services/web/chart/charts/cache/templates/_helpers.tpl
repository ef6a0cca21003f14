{{- define "cache.name" -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}-cache
{{- end }}

{{- define "cache.selectorLabels" -}}
app.kubernetes.io/name: cache
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cache.labels" -}}
{{ include "cache.selectorLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
