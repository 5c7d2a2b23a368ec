/** Text that is HTML (or SVG in it) already. Only this file makes it, so nothing gets into a page unescaped. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes: text is escaped, nothing is shown for `undefined` and `false`. */
export type HtmlValue = Html | string | number | undefined | false | readonly HtmlValue[];

/** HTML from a template. Every value is escaped for text and for quoted attributes, unless it is {@link Html}. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.map((part, i) => (i === 0 ? part : textOf(values[i - 1]) + part)).join(''));
}

function textOf(value: HtmlValue): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(textOf).join('');
  return escapeText(String(value));
}

/** For text and for quoted attributes. Controls that HTML doesn't allow are shown as such. */
function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replaceAll(/[\p{Cc}\p{Cs}]/gu, (control) => (/[\t\n]/.test(control) ? control : '\uFFFD'));
}

/** A `style` or `script` of this program, to the letter, since the page's policy names it by its hash. */
export function ownElement(name: 'style' | 'script', text: string): Html {
  return new Html(`<${name}>${text}</${name}>`);
}

/** Data for the page's script: JSON that can't end the element that it stands in. */
export function jsonElement(name: string, value: unknown): Html {
  const json = JSON.stringify(value)
    .replaceAll('<', String.raw`\u003c`)
    .replaceAll('>', String.raw`\u003e`)
    .replaceAll('&', String.raw`\u0026`);
  return html`<script type="application/json" class="${name}">
    ${new Html(json)}
  </script>`;
}
