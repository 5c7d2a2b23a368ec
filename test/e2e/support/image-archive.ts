import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';

/** What an image's archive holds. */
export interface ImageArchive {
  /** The configuration's `config`. */
  readonly config: { readonly User: string; readonly Entrypoint: readonly string[] };
  /** All files of all layers, the lowest first. */
  readonly files: readonly Header[];
}

/** Reads an archive as `npm run images` writes it. */
export async function readImageArchive(file: string): Promise<ImageArchive> {
  const files: Header[] = [];
  let config = '';
  const outer = extract();
  outer.on('entry', ({ name }, stream, next) => {
    if (name.endsWith('.tar')) {
      const layer = extract();
      layer.on('entry', (header, content, nextFile) => {
        files.push(header);
        content.on('end', nextFile).resume();
      });
      stream
        .pipe(layer)
        .on('finish', () => next())
        .on('error', next);
    } else {
      stream.on('data', (bytes) => (config += name === 'config.json' ? String(bytes) : ''));
      stream.on('end', next);
    }
  });
  await pipeline(createReadStream(file), outer);
  return { config: (JSON.parse(config) as { config: ImageArchive['config'] }).config, files };
}
