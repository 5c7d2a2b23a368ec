import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { RunData } from '../source/run-data.ts';
import { embeddingsSection } from './embeddings.ts';
import { environmentSection } from './environment.ts';
import { headlineSection } from './headline.ts';
import type { Html } from './html.ts';
import { html, ownElement } from './html.ts';
import { linearSection } from './linear.ts';
import { pretrainingSection } from './pretraining.ts';
import { recipeSection } from './recipe.ts';
import type { RunView } from './run-view.ts';
import { viewsOf } from './run-view.ts';
import { timelineSection } from './timelines.ts';

export interface PageOptions {
  /** What wrote the page: `simsiam 1.2.3`. */
  readonly generator: string;
  /** Of a live page: what the runs have committed. The page asks its server for it, and takes itself anew when it changes. */
  readonly version?: string;
}

/** Most runs that a page compares: more couldn't be told apart by colour. */
export const mostRuns = 8;

/**
 * The page of a run, or of several compared. One file that loads nothing: its policy allows its own style, its own
 * script and images that are part of it. Pure, but for reading the assets of this program.
 */
export function reportPage(runs: readonly RunData[], options: PageOptions): string {
  const views = viewsOf(runs);
  return document(views.map(({ label }) => label).join(' and '), options, {
    header: views.length === 1 ? heading(views[0]!) : comparisonHeading(views),
    main: html`${headlineSection(views)} ${pretrainingSection(views)} ${linearSection(views)}
    ${embeddingsSection(views)} ${timelineSection(views)} ${recipeSection(views)} ${environmentSection(views)}`,
  });
}

/** What a live page shows before there is a run. */
export function waitingPage(reason: string, options: PageOptions): string {
  return document('Waiting for a run', options, {
    header: html`<p class="kicker">SimSiam</p>
      <h1>Waiting for a run</h1>`,
    main: html`<p class="lead">${reason}. This page looks again every few seconds.</p>`,
  });
}

function document(title: string, { generator, version }: PageOptions, parts: { header: Html; main: Html }): string {
  const style = asset('page.css');
  const script = ['charts.js', 'maps.js', 'page.js'].map(asset).join('\n');
  const live = version !== undefined;
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${hashOf(script)}`,
    'img-src data:',
    ...(live ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="generator" content="${generator}" />
        ${live && html`<meta name="version" content="${version}" />`}
        <title>${title} – SimSiam</title>
        ${ownElement('style', style)}
      </head>
      <body>
        <header>${parts.header}</header>
        <main>${parts.main}</main>
        <footer>
          Read as it was committed. Written by ${generator}. Arrow keys read values from a chart that has the focus.
          ${live && html`<span id="live" role="status">Live.</span>`}
        </footer>
        ${ownElement('script', script)}
      </body>
    </html>`.text;
}

function heading({ label, data }: RunView): Html {
  const { arch, width, imageSize, epochs, batchSize } = data.run.spec.pretrain;
  return html`<p class="kicker">SimSiam run</p>
    <h1>${label}</h1>
    <p class="chips">${chips(data)}</p>
    <p class="lead">
      ${arch}${width === 64 ? '' : ` of width ${width}`} on images of ${imageSize} × ${imageSize} pixels, ${epochs}
      epoch${epochs === 1 ? '' : 's'} with batches of ${batchSize}.
    </p>`;
}

function comparisonHeading(views: readonly RunView[]): Html {
  return html`<p class="kicker">SimSiam</p>
    <h1>${views.length} runs compared</h1>
    <ul class="runs">
      ${views.map(
        ({ label, colour, data }) => html`<li><span class="swatch s${colour}"></span>${label} ${chips(data)}</li>`,
      )}
    </ul>`;
}

/** How far a run is, and whether it is healthy. */
function chips({ result, pretrain, linear, run, collapse }: RunData): Html {
  const { epochs } = run.spec.pretrain;
  const done = pretrain?.stepsPerEpoch === undefined ? 0 : Math.floor(pretrain.step / pretrain.stepsPerEpoch);
  const progress = linear ? 'in linear evaluation' : pretrain ? `${done} of ${epochs} epochs` : 'nothing committed yet';
  const health = { complete: 'collapsed', dimensional: 'collapsed to a few dimensions', none: 'healthy' }[
    collapse ?? 'none'
  ];
  return html`<span class="chip ${result ? 'good' : 'open'}">${result ? 'complete' : progress}</span>
    ${pretrain && html`<span class="chip ${collapse ? 'bad' : 'good'}">${health}</span>`}`;
}

/** Assets lie among the sources: they are what browsers read, and aren't compiled. */
function asset(name: string): string {
  return readFileSync(new URL(`../../../../trainer/report/assets/${name}`, import.meta.url), 'utf8');
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
