import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { extract, type Header } from 'tar-stream';

/** What an image's archive holds. */
export interface ImageArchive {
  /** The configuration's `config`. */
  readonly config: { readonly User: string; readonly Entrypoint: readonly string[] };
  /** All files of all layers, the lowest first. */
  readonly files: readonly Header[];
}

/** Reads an archive as `npm run images` writes it, or docker, or buildah. */
export async function readImageArchive(file: string): Promise<ImageArchive> {
  let manifest = '';
  await visit(file, async ({ name }, content) => {
    if (name === 'manifest.json') manifest = await text(content);
    else content.resume();
  });
  const [image] = JSON.parse(manifest) as [{ readonly Config: string; readonly Layers: readonly string[] }];
  const layers = new Map<string, readonly Header[]>();
  let config = '';
  await visit(file, async ({ name }, content) => {
    if (name === image.Config) config = await text(content);
    else if (image.Layers.includes(name)) layers.set(name, await headers(content));
    else content.resume();
  });
  const files = image.Layers.flatMap((name) => layers.get(name) ?? []);
  return { config: (JSON.parse(config) as { config: ImageArchive['config'] }).config, files };
}

type Content = AsyncIterable<Uint8Array> & { resume(): unknown };

async function visit(file: string, look: (header: Header, content: Content) => Promise<void>): Promise<void> {
  const archive = extract();
  createReadStream(file).pipe(archive);
  for await (const entry of archive) await look(entry.header, entry as Content);
}

async function headers(layer: Content): Promise<readonly Header[]> {
  const found: Header[] = [];
  const archive = extract();
  Readable.from(layer).pipe(archive);
  for await (const entry of archive) {
    found.push(entry.header);
    entry.resume();
  }
  return found;
}
