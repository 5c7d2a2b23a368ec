import { healthyOutputStd } from '../../evaluate/collapse.ts';
import { formatDuration, formatFigure, formatPercent } from '../../telemetry/format.ts';
import type { ScoreRow } from '../chart/score-plot.ts';
import { scoreDomain, scorePlot } from '../chart/score-plot.ts';
import type { RunData } from '../source/run-data.ts';
import { figure, plainTable } from './figure.ts';
import type { Html, HtmlValue } from './html.ts';
import { html } from './html.ts';
import type { RunView } from './run-view.ts';
import { linearTitle } from './linear.ts';
import { latest } from './run-view.ts';

/** What the runs reached, beside what costs no pre-training, and whether it may be believed. */
export function headlineSection(views: readonly RunView[]): Html {
  const [view] = views;
  return html`<section aria-labelledby="reached">
    <h2 id="reached">What it reached</h2>
    ${scores(views)} ${views.length === 1 ? tiles(view!.data) : figuresTable(views)}
  </section>`;
}

type ScoreName = 'knnTop1' | 'linearTop1';

/** What a score is called; runs that are compared may have evaluated in different ways. */
function scoreName(views: readonly RunView[], score: ScoreName): string {
  if (score === 'knnTop1') return 'kNN top-1';
  const names = new Set(views.map(({ data }) => linearTitle(data.run.spec.linear)));
  return names.size === 1 ? [...names][0]! : 'Linear or fine-tuned top-1';
}

function reached({ pretrain, linear, result }: RunData): Readonly<Record<ScoreName, number | undefined>> {
  const best = linear?.steps['top1']?.reduce((most, { y }) => Math.max(most, y), 0);
  return { knnTop1: latest(pretrain, 'knnTop1'), linearTop1: result?.linear?.top1 ?? best };
}

function scoreRows(views: readonly RunView[], score: ScoreName): ScoreRow[] {
  // Runs that are compared usually share data and image size; the baselines of the first stand for all.
  const baselines = views.find(({ data }) => data.baselines !== undefined)?.data.baselines;
  const rows = [
    { name: 'raw pixels', percent: baselines?.rawPixels[score] },
    { name: 'untrained backbone', percent: baselines?.untrained[score] },
    ...views.map(({ label, colour, data }) => ({
      name: views.length === 1 ? 'SimSiam' : label,
      percent: reached(data)[score],
      colour,
    })),
  ];
  return rows.filter((row): row is typeof row & { percent: number } => row.percent !== undefined);
}

function scores(views: readonly RunView[]): Html | undefined {
  const names = ['knnTop1', 'linearTop1'] as const;
  const shown = names.map((name) => ({ name, rows: scoreRows(views, name) })).filter(({ rows }) => rows.length > 0);
  if (shown.length === 0) return undefined;
  const domain = scoreDomain(shown.flatMap(({ rows }) => rows.map(({ percent }) => percent)));
  const words = (rows: readonly ScoreRow[]): string =>
    rows.map(({ name, percent }) => `${name} ${formatPercent(percent)}`).join(', ');
  return html`<div class="charts">
    ${shown.map(({ name, rows }) =>
      figure({
        id: `score-${name.toLowerCase()}`,
        title: scoreName(views, name),
        note: views.length === 1 ? verdict(rows) : 'Of the validation set. Baselines are those of the first run.',
        svg: scorePlot(rows, domain, `${scoreName(views, name)}: ${words(rows)}.`),
      }),
    )}
  </div>`;
}

/** Says where pre-training is worth something, and as plainly where it is not. */
function verdict(rows: readonly ScoreRow[]): HtmlValue {
  const run = rows.find(({ colour }) => colour !== undefined);
  const bars = rows.filter(({ colour }) => colour === undefined).map(({ percent }) => percent);
  if (run === undefined || bars.length === 0) return 'Of the validation set; there are no baselines to compare with.';
  const margin = run.percent - Math.max(...bars);
  const points = `${Math.abs(margin).toFixed(1)} points`;
  return margin > 0
    ? html`<strong class="good">${points} above</strong> the better of two baselines that cost no pre-training.`
    : html`<strong class="bad">Not above</strong> the better of two baselines that cost no pre-training (${points}
        less).`;
}

interface Fact {
  readonly name: string;
  readonly value: string;
  readonly note: string;
}

function factsOf(data: RunData): Fact[] {
  const { run, pretrain, elapsedSeconds, environment } = data;
  const healthy = healthyOutputStd(run.spec.pretrain.dim);
  const [loss, std] = [lastMean(data, 'loss'), lastMean(data, 'outputStd')];
  const rank = latest(pretrain, 'effectiveRank');
  const samples = latest(pretrain, 'effectiveRankSamples');
  const limit = samples === undefined ? '' : `of ${Math.min(samples, run.spec.pretrain.dim)}, by ${samples} images`;
  const { ranks, device } = environment;
  const where =
    typeof ranks === 'number' ? `on ${ranks} ${device === 'gpu' ? 'GPU' : 'CPU'} rank${ranks === 1 ? '' : 's'}` : '';
  return [
    ...fact('Loss', loss?.toFixed(3).replace('-', '−'), 'mean of the last epoch, floor −1'),
    ...fact('Output std', std && formatFigure(std), `${formatFigure((std ?? 0) / healthy)} × the healthy 1/√d`),
    ...fact('Effective rank', rank && formatFigure(rank), limit),
    ...fact('Wall time', elapsedSeconds && formatDuration(elapsedSeconds), where),
  ];
}

function fact(name: string, value: string | 0 | undefined, note: string): Fact[] {
  return value === undefined || value === 0 ? [] : [{ name, value, note }];
}

function lastMean({ pretrain }: RunData, figure: string): number | undefined {
  return pretrain?.epochs.at(-1)?.means[figure];
}

function tiles(data: RunData): Html {
  return html`<dl class="tiles">
    ${factsOf(data).map(
      ({ name, value, note }) =>
        html`<div>
          <dt>${name}</dt>
          <dd><span class="big">${value}</span> <span class="about">${note}</span></dd>
        </div>`,
    )}
  </dl>`;
}

function figuresTable(views: readonly RunView[]): Html {
  const columns = views.map(({ data }) => {
    const { knnTop1, linearTop1 } = reached(data);
    const percents = [
      ...fact('kNN top-1', knnTop1 === undefined ? undefined : formatPercent(knnTop1), ''),
      ...fact(linearTitle(data.run.spec.linear), linearTop1 === undefined ? undefined : formatPercent(linearTop1), ''),
    ];
    return new Map([...percents, ...factsOf(data)].map(({ name, value }) => [name, value]));
  });
  const names = new Set(columns.flatMap((column) => [...column.keys()]));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Figures of all runs">
    ${plainTable({
      caption: 'Figures of all runs',
      head: ['figure', ...views.map(({ label }) => label)],
      rows: [...names].map((name) => [name, ...columns.map((column) => column.get(name) ?? '–')]),
    })}
  </div>`;
}
