import type { Span } from '../chart/timeline.ts';
import { timeline } from '../chart/timeline.ts';
import type { Ending, Start } from '../../checkpoint/starts.ts';
import type { StageData } from '../source/run-data.ts';
import { figure, plainTable } from './figure.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import type { RunView } from './run-view.ts';
import { stageAxis } from './run-view.ts';

const stages = { pretrain: 'Pre-training', linear: 'Linear evaluation' } as const;

/** When each stage was started, what it committed, and which checkpoints are still there. */
export function timelineSection(views: readonly RunView[]): Html | undefined {
  const figures = views.flatMap((view) =>
    (['pretrain', 'linear'] as const).map((stage) => stageTimeline(view, stage, views.length > 1)),
  );
  if (figures.every((figure) => figure === undefined)) return undefined;
  return html`<section aria-labelledby="timeline">
    <h2 id="timeline">Starts and checkpoints</h2>
    <div class="charts">${figures}</div>
    ${views.flatMap((view) => (['pretrain', 'linear'] as const).map((stage) => startsTable(view, stage, views.length > 1)))}
  </section>`;
}

/** How the ranks before a start ended. */
const endings: Readonly<Record<Ending, string>> = {
  stopped: 'was asked to stop',
  peerLost: 'lost a rank or a worker',
  hang: 'made no progress',
  failed: 'failed',
  lost: 'was killed, crashed or lost its machine',
};

/** Where a stage was interrupted, when it went on, and why, as far as anybody saw. */
function startsTable(view: RunView, stage: keyof typeof stages, named: boolean): Html | undefined {
  const starts = view.data[stage]?.starts ?? [];
  if (starts.length < 2) return undefined;
  const title = `${stages[stage]}${named ? ` of ${view.label}` : ''}: starts and their causes`;
  const why = ({ after, cause }: Start): string =>
    after === undefined
      ? 'the beginning'
      : `the one before ${endings[after]}${cause === undefined ? '' : `: ${cause}`}`;
  return html`<h3>${title}</h3>
    <div class="scroll" tabindex="0" role="region" aria-label="${title}">
      ${plainTable({
        caption: title,
        head: ['start', 'from step', 'when', 'why'],
        rows: starts.map((start) => [`${start.generation}`, `${start.step}`, timeText(start.at), why(start)]),
      })}
    </div>`;
}

function stageTimeline(view: RunView, stage: keyof typeof stages, named: boolean): Html | undefined {
  const data = view.data[stage];
  if (data === undefined) return undefined;
  const axis = stageAxis([view], stage);
  const unit = axis.label === 'epoch' ? data.stepsPerEpoch! : 1;
  const spans = spansOf(data);
  const idle = data.generation - spans.length;
  const words = [
    `${data.generation} start${data.generation === 1 ? '' : 's'}`,
    `${data.commits.length} commit${data.commits.length === 1 ? '' : 's'}`,
    ...(idle > 0 ? [`${idle} start${idle === 1 ? '' : 's'} committed nothing that still counts`] : []),
  ];
  return figure({
    id: `timeline-${stage}-${view.colour}`,
    title: named ? `${stages[stage]} of ${view.label}` : stages[stage],
    note: `${words.join(', ')}. A line is a commit, a triangle a checkpoint that is kept.`,
    svg: timeline({
      x: axis,
      spans: spans.map(({ generation, from, to }) => ({ generation, from: from / unit, to: to / unit })),
      commits: data.commits.map(({ step, createdAt }) => ({ x: step / unit, kept: createdAt !== undefined })),
      summary: `${stages[stage]}: ${spans.map(({ generation, from, to }) => `start ${generation} from step ${from} to ${to}`).join('; ')}.`,
    }),
    table: {
      caption: `${stages[stage]}: checkpoints that are kept`,
      head: ['step', 'start', 'written'],
      rows: data.commits
        .filter(({ createdAt }) => createdAt !== undefined)
        .map(({ step, generation, createdAt }) => [String(step), String(generation), timeText(createdAt!)]),
    },
  });
}

/** What each start added to the history as it stands. */
function spansOf({ commits }: StageData): Span[] {
  const spans: Span[] = [];
  let from = 0;
  for (const { step, generation } of commits) {
    const last = spans.at(-1);
    if (last?.generation === generation) spans[spans.length - 1] = { ...last, to: step };
    else spans.push({ generation, from, to: step });
    from = step;
  }
  return spans;
}

/** `2026-03-01 12:00:05 UTC` */
function timeText(iso: string): string {
  const at = new Date(iso);
  return Number.isNaN(at.getTime())
    ? iso
    : at
        .toISOString()
        .replace('T', ' ')
        .replace(/\.\d+Z$/, ' UTC');
}
