/**
 * The CustomResourceDefinition as a template of the chart. Helm installs what lies in a chart's \`crds/\` once and never
 * upgrades it; a template is upgraded with the release, and \`resource-policy: keep\` has it survive an uninstall.
 *
 * @throws TypeError if the definition has what Helm would take for a template's
 */
export function crdTemplate(crd: string): string {
  if (crd.includes('{{')) throw new TypeError("the CustomResourceDefinition has '{{', which a template must escape");
  const metadata = /^metadata:\n  name: (.+)\n/m;
  if (!metadata.test(crd)) throw new TypeError('the CustomResourceDefinition has more metadata than its name');
  const withMetadata = crd.replace(
    metadata,
    (_, name: string) => `metadata:
  {{- $keep := ternary (dict "helm.sh/resource-policy" "keep") (dict) .Values.crds.keep }}
  {{- include "simsiam.metadata" (dict "context" . "name" "${name}" "cluster" true "annotations" $keep) | nindent 2 }}
`,
  );
  return `{{- if .Values.crds.install }}\n${withMetadata}{{- end }}\n`;
}
