{{/* Name of the chart, or what replaces it. */}}
{{- define "simsiam.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of the objects: release and chart, once if the one contains the other. */}}
{{- define "simsiam.fullname" -}}
{{- $name := include "simsiam.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "simsiam.selectorLabels" -}}
app.kubernetes.io/name: {{ include "simsiam.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "simsiam.labels" -}}
{{- $labels := fromYaml (include "simsiam.selectorLabels" .) -}}
{{- $_ := set $labels "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ = set $labels "app.kubernetes.io/part-of" "simsiam" -}}
{{- $_ = set $labels "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ = set $labels "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- toYaml (merge $labels .Values.commonLabels) -}}
{{- end -}}

{{/*
Metadata of an object: {context, name, namespace, labels, annotations, cluster}. What is given here wins over what all
objects have.
*/}}
{{- define "simsiam.metadata" -}}
{{- $labels := merge (dict) (.labels | default dict) (fromYaml (include "simsiam.labels" .context)) -}}
{{- $annotations := merge (dict) (.annotations | default dict) .context.Values.commonAnnotations -}}
name: {{ .name | quote }}
{{- if not .cluster }}
namespace: {{ default .context.Release.Namespace .namespace | quote }}
{{- end }}
labels:
  {{- toYaml $labels | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "simsiam.serviceAccountName" -}}
{{- $byDefault := ternary (include "simsiam.fullname" .) "default" .Values.serviceAccount.create -}}
{{- default $byDefault .Values.serviceAccount.name -}}
{{- end -}}

{{/* An image: {context, image}. */}}
{{- define "simsiam.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (default .context.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Pod Security's `restricted`, with the changes of the values. */}}
{{- define "simsiam.podSecurityContext" -}}
{{- $restricted := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- toYaml (mergeOverwrite $restricted (deepCopy .Values.podSecurityContext)) -}}
{{- end -}}

{{- define "simsiam.securityContext" -}}
{{- $restricted := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- toYaml (mergeOverwrite $restricted (deepCopy .Values.securityContext)) -}}
{{- end -}}
