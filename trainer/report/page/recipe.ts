import { canonicalJson, recipeHash, recipeOf } from '../../../api/recipe.ts';
import { simSiamRunSchema, type SimSiamRun } from '../../../api/run.ts';
import { plainTable } from './figure.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import type { RunView } from './run-view.ts';

/** The recipe: what was changed of the defaults, or of several runs what they differ in; all of it below. */
export function recipeSection(views: readonly RunView[]): Html {
  const columns = views.map(({ data }) => fieldsOf(data.run));
  const single = views.length === 1;
  const compared = single ? [columns[0]!, fieldsOf(defaultsFor(views[0]!.data.run))] : columns;
  const names = [...new Set(columns.flatMap((column) => [...column.keys()]))];
  const differing = names.filter((name) => new Set(compared.map((column) => column.get(name))).size > 1);
  const tableOf = (caption: string, fields: readonly string[]): Html =>
    html`<div class="scroll recipe" tabindex="0" role="region" aria-label="${caption}">
      ${plainTable({
        caption,
        head: ['field', ...(single ? ['value', 'default'] : views.map(({ label }) => label))],
        rows: fields.map((name) => [name, ...compared.map((column) => column.get(name) ?? '–')]),
      })}
    </div>`;
  return html`<section aria-labelledby="recipe">
    <h2 id="recipe">${single ? 'Recipe' : 'What the recipes differ in'}</h2>
    <p class="lead">
      ${single ? 'What it sets otherwise than the defaults.' : `${differing.length} of ${names.length} fields.`}
      ${single && html`Hash of the recipe: <code>${recipeHash(views[0]!.data.run).slice(0, 16)}…</code>`}
    </p>
    ${tableOf(single ? 'Fields set otherwise than the default' : 'Fields that differ', differing)}
    <details class="data" data-name="recipe">
      <summary>All ${names.length} fields</summary>
      ${tableOf('All fields of the recipe', names)}
    </details>
  </section>`;
}

/** By the field's path: its value, as a manifest would have it. */
function fieldsOf(run: SimSiamRun): Map<string, string> {
  const fields = new Map<string, string>();
  const add = (value: unknown, path: string): void => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [name, inner] of Object.entries(value)) add(inner, path === '' ? name : `${path}.${name}`);
    } else if (value !== undefined) fields.set(path, typeof value === 'string' ? value : canonicalJson(value));
  };
  const { checkpoint, failurePolicy } = run.spec;
  add({ ...recipeOf(run), checkpoint, failurePolicy }, '');
  return fields;
}

/** The same run with nothing set that need not be. */
function defaultsFor({ apiVersion, kind, metadata, spec }: SimSiamRun): SimSiamRun {
  const { data, storage } = spec;
  return simSiamRunSchema.parse({ apiVersion, kind, metadata, spec: { data: { train: data.train }, storage } });
}
