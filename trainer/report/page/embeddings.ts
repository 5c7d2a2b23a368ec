import { formatPercent } from '../../telemetry/format.ts';
import type { PointGroup } from '../chart/point-map.ts';
import { pointMap } from '../chart/point-map.ts';
import type { Embeddings } from '../source/embeddings.ts';
import { sameClassPercent } from '../source/neighbours.ts';
import { figure } from './figure.ts';
import type { Html } from './html.ts';
import { html } from './html.ts';
import type { RunView } from './run-view.ts';

/** Images that are shown with their neighbours, and how many of these. */
const [galleryRows, galleryColumns] = [8, 6];

/** What the trained features hold to be alike: neighbours of some images, and a map of all in the sample. */
export function embeddingsSection(views: readonly RunView[]): Html | undefined {
  const shown = views.filter(({ data }) => data.embeddings !== undefined);
  if (shown.length === 0) return undefined;
  const single = views.length === 1;
  return html`<section aria-labelledby="embeddings">
    <h2 id="embeddings">What it holds to be alike</h2>
    <div class="charts">
      ${shown.map((view) => [
        single && gallery(view.data.embeddings!),
        map(view, view.data.embeddings!, single ? 'Map of the images' : `Map of ${view.label}`, single),
      ])}
    </div>
  </section>`;
}

const setNames = { val: 'validation set', train: 'training set' } as const;

function className({ sample: { classes, labels } }: Embeddings, image: number): string | undefined {
  return classes[labels[image]!];
}

function pictureOf({ sample: { thumbnails } }: Embeddings, image: number): string {
  return `data:image/webp;base64,${Buffer.from(thumbnails[image]!).toString('base64')}`;
}

/** One image of each class in turn, the first of the sample, until there are enough. */
function chosen({ sample: { labels } }: Embeddings): number[] {
  const seen = new Map<number, number>();
  return Array.from(labels, (label, image) => {
    const turn = seen.get(label) ?? 0;
    seen.set(label, turn + 1);
    return { image, label, turn };
  })
    .sort((a, b) => a.turn - b.turn || a.label - b.label || a.image - b.image)
    .slice(0, galleryRows)
    .map(({ image }) => image);
}

function gallery(embeddings: Embeddings): Html {
  const { sample, neighbours } = embeddings;
  const picture = (image: number, words: string): Html =>
    html`<img
      src="${pictureOf(embeddings, image)}"
      width="56"
      height="56"
      alt="${words}"
      title="${sample.names[image]}"
    />`;
  const title = 'Nearest neighbours';
  const note = html`Images of the ${setNames[sample.set]}, each with those of a sample of ${sample.names.length} whose
  features are most like its own, by cosine
  similarity.${sample.classes.length > 0 && ' A dashed frame is another class.'}`;
  const columns = Math.min(galleryColumns, neighbours.indices[0]!.length);
  return html`<figure class="chart" id="neighbours">
    <figcaption>
      <h3>${title}</h3>
      <p>${note}</p>
    </figcaption>
    <div class="neighbours" tabindex="0" role="region" aria-label="${title}">
      <table>
        <thead>
          <tr>
            <th scope="col">image</th>
            ${Array.from({ length: columns }, (_, i) => html`<th scope="col">${i + 1}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${chosen(embeddings).map((image) => {
            const own = className(embeddings, image);
            return html`<tr>
              <th scope="row">${picture(image, own === undefined ? 'image' : '')}${own}</th>
              ${neighbours.indices[image]!.slice(0, columns).map((other, i) => {
                const name = className(embeddings, other);
                return html`<td class="${name === own ? 'same' : 'other'}">
                  ${picture(other, name ?? 'image')}${neighbours.similarities[image]![i]!.toFixed(2)}
                </td>`;
              })}
            </tr>`;
          })}
        </tbody>
      </table>
    </div>
  </figure>`;
}

function map(view: RunView, embeddings: Embeddings, title: string, withPictures: boolean): Html | undefined {
  const { sample, neighbours, places } = embeddings;
  if (places === undefined) return undefined;
  const groups = groupsOf(embeddings);
  const labelled = sample.classes.length > 0;
  const percent = sameClassPercent(sample.labels, neighbours);
  const score =
    percent === undefined ? '' : ` The nearest neighbour is of the same class for ${formatPercent(percent)} of them.`;
  const of = `${places.length} images of the ${setNames[sample.set]}`;
  const { svg, dots } = pointMap({
    ...{ places, groups, named: labelled },
    summary: `${title}: ${of}${labelled ? ` in ${groups.length} classes` : ''}.${score}`,
  });
  return figure({
    id: `map-${view.colour}`,
    title,
    note: `${of}${labelled ? ', coloured by class' : ''}, near where their features are alike (UMAP).${score} Distances between groups and the axes mean nothing.`,
    svg,
    // By group, so that arrow keys go through one after the other.
    points: groups.flatMap(({ members }) =>
      members.map((image) => [
        dots[image]!.x,
        dots[image]!.y,
        className(embeddings, image) ?? sample.names[image]!,
        withPictures ? pictureOf(embeddings, image) : '',
      ]),
    ),
    ...(labelled && {
      table: {
        caption: 'Classes of the sample',
        head: ['class', 'images', 'nearest neighbour of the same class'],
        rows: groups.map((group) => rowOf(group, embeddings)),
      },
    }),
  });
}

/** By class; all in one where there are no labels. */
function groupsOf({ sample: { classes, labels } }: Embeddings): PointGroup[] {
  const all = Array.from(labels.keys());
  if (classes.length === 0) return [{ name: 'images', members: all }];
  return classes
    .map((name, label) => ({ name, members: all.filter((image) => labels[image] === label) }))
    .filter(({ members }) => members.length > 0);
}

function rowOf({ name, members }: PointGroup, { sample: { labels }, neighbours }: Embeddings): string[] {
  const same = members.filter((image) => labels[neighbours.indices[image]![0]!] === labels[image]).length;
  return [name, String(members.length), formatPercent((100 * same) / members.length)];
}
