{{- define "understudy.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "understudy.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "understudy.labels" -}}
{{ include "understudy.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "understudy.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "understudy.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "understudy.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* "yes" where replicas share a ledger over PostgreSQL, "" over SQLite. What cannot work is refused here, with a sentence. */}}
{{- define "understudy.shared" -}}
{{- $store := .Values.store }}
{{- if and $store.url $store.urlSecret.name }}{{ fail "store: give url or urlSecret, not both" }}{{ end }}
{{- if regexMatch "://[^/@]*:[^/@]*@|[?&]password=" $store.url }}{{ fail "store.url has a password in it, which everybody could read who may read Deployments: put it into a Secret and name that in store.passwordSecret" }}{{ end }}
{{- if and $store.passwordSecret.name (not $store.url) }}{{ fail "store.passwordSecret is for store.url, which is empty" }}{{ end }}
{{- if or $store.url $store.urlSecret.name }}
{{- if not (contains "${UNDERSTUDY_STORE" .Values.config) }}{{ fail "config does not use the store: write `store: ${UNDERSTUDY_STORE:-}` into it, or each replica would be a bot of its own" }}{{ end -}}
yes
{{- else if gt (int .Values.replicas) 1 }}{{ fail "replicas: a ledger over SQLite has one owner; several replicas share one over PostgreSQL, see store" }}
{{- end }}
{{- end }}

{{- define "understudy.replicas" -}}
{{- .Values.replicas | default (ternary 3 1 (eq (include "understudy.shared" .) "yes")) }}
{{- end }}
