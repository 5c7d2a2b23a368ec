import type { JsonObject } from '../../checkpoint/json.ts';
import { plainTable } from './figure.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import type { RunView } from './run-view.ts';

/** Where the runs ran, and on which images: what results depend on besides the recipe. */
export function environmentSection(views: readonly RunView[]): Html {
  const columns = views.map(({ data }) => ({
    ...textsOf(data.environment),
    'digest of the training images': digest(data.images['train']),
    'digest of the validation images': digest(data.images['val']),
    storage: data.uri,
  }));
  const names = [...new Set(columns.flatMap((column) => Object.keys(column)))];
  const warnings = views.flatMap(({ label, data }) => data.warnings.map((warning) => `${label}: ${warning}`));
  return html`<section aria-labelledby="environment">
    <h2 id="environment">Environment</h2>
    <div class="scroll recipe" tabindex="0" role="region" aria-label="Table of the environment">
      ${plainTable({
        caption: 'Environment',
        head: ['of the newest checkpoint', ...views.map(({ label }) => label)],
        rows: names.map((name) => [name, ...columns.map((column) => (column as Record<string, string>)[name] ?? '–')]),
      })}
    </div>
    ${
      warnings.length > 0 &&
      html`<h3>Left out</h3>
        <ul class="warnings">
          ${warnings.map((warning) => html`<li>${warning}</li>`)}
        </ul>`
    }
  </section>`;
}

function textsOf(object: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}

/** Enough of a SHA-256 to compare by eye. */
function digest(value: unknown): string {
  return typeof value === 'string' ? `${value.slice(0, 16)}…` : '–';
}
