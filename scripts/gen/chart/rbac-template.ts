import { stringify } from 'yaml';
import type { PolicyRule } from '../../../operator/rbac.ts';

/**
 * Roles of the operator and what binds them to its service account, as a template of the chart.
 *
 * @param runRules for the namespaces of runs: all, or the watched one
 * @param leaseRules for the operator's own namespace
 */
export function rbacTemplate(runRules: readonly PolicyRule[], leaseRules: readonly PolicyRule[]): string {
  return `# Generated from operator/rbac.ts by \`npm run gen\`. Do not edit.
{{- if .Values.rbac.create }}
{{- $name := include "simsiam.fullname" . }}
{{- $cluster := empty .Values.watchNamespace }}
{{- $subject := dict "kind" "ServiceAccount" "name" (include "simsiam.serviceAccountName" .) "namespace" .Release.Namespace }}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ ternary "ClusterRole" "Role" $cluster }}
metadata:
  {{- include "simsiam.metadata" (dict "context" . "name" (printf "%s-runs" $name) "cluster" $cluster "namespace" .Values.watchNamespace) | nindent 2 }}
rules:
${rulesYaml(runRules)}---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ ternary "ClusterRoleBinding" "RoleBinding" $cluster }}
metadata:
  {{- include "simsiam.metadata" (dict "context" . "name" (printf "%s-runs" $name) "cluster" $cluster "namespace" .Values.watchNamespace) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ ternary "ClusterRole" "Role" $cluster }}
  name: "{{ $name }}-runs"
subjects:
  - {{- toYaml $subject | nindent 4 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "simsiam.metadata" (dict "context" . "name" (printf "%s-lease" $name)) | nindent 2 }}
rules:
${rulesYaml(leaseRules)}---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "simsiam.metadata" (dict "context" . "name" (printf "%s-lease" $name)) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: "{{ $name }}-lease"
subjects:
  - {{- toYaml $subject | nindent 4 }}
{{- end }}
`;
}

function rulesYaml(rules: readonly PolicyRule[]): string {
  return stringify(rules, { version: '1.1', collectionStyle: 'block' }).replaceAll(/^(?=.)/gm, '  ');
}
