/**
 * `npm run images [-- NAME…]`: the images of the trainer and the operator as archives under build/images/, for
 * `ctr images import`, `docker load` or `kind load image-archive`. Needs no container engine. With SIMSIAM_DEVICE=gpu at
 * set-up the trainer carries the CUDA build. `-- --stage FOLDER NAME` only lays the files out, a folder for each layer:
 * images/Dockerfile copies these, so that both ways make the same image. `-- --engine docker` (or buildah) builds that, into
 * the same archives.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packLayer, unprivileged, writeArchive } from './images/archive.ts';
import { baseLayers } from './images/base-layer.ts';
import { buildWithEngine, type Engine, engines } from './images/engine.ts';
import { imageNames, images, type ImageName } from './images/contents.ts';
import { layers, stageImage } from './images/stage.ts';
import { cacheFolder } from '../storage/cache-folder.ts';
import { SetupError } from './setup/errors.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = join(root, 'build/images');
const tagOf = (name: ImageName) => `simsiam-${name}:dev`;
const archiveOf = (name: ImageName) => join(target, `${name}.tar`);

async function buildImage(name: ImageName): Promise<void> {
  const stage = join(target, 'stage', name);
  await stageImage(root, name, stage);
  const own: string[] = [];
  for (const layer of layers) {
    if ((await readdir(join(stage, layer, 'opt/simsiam'))).length === 0) continue;
    own.push(join(stage, `${layer}.tar`));
    await packLayer(join(stage, layer), own.at(-1)!);
  }
  await writeArchive(archiveOf(name), {
    tags: [tagOf(name)],
    layers: [...(await baseLayers(cacheFolder())), ...own],
    config: unprivileged(`/usr/local/bin/${images[name].program.name}`),
  });
  await rm(stage, { recursive: true });
}

async function buildFromDockerfile(engine: Engine, name: ImageName): Promise<void> {
  await mkdir(target, { recursive: true });
  await rm(archiveOf(name), { force: true });
  const device = process.env.SIMSIAM_DEVICE === 'gpu' ? 'gpu' : 'cpu';
  await buildWithEngine(engine, archiveOf(name), { root, target: name, tag: tagOf(name), device });
}

try {
  const { values, positionals: wanted } = parseArgs({
    allowPositionals: true,
    options: { stage: { type: 'string' }, engine: { type: 'string' } },
  });
  const unknown = wanted.find((name) => !(imageNames as string[]).includes(name));
  if (unknown !== undefined) throw new SetupError(`there is no image ${unknown}: there are ${imageNames.join(', ')}`);
  const names = imageNames.filter((name) => wanted.length === 0 || wanted.includes(name));
  const engine = engines.find((known) => known === values.engine);
  if (values.engine !== undefined && engine === undefined) {
    throw new SetupError(`--engine ${values.engine}: there are ${engines.join(', ')}`);
  }
  if (values.stage !== undefined) {
    if (wanted.length !== 1) throw new SetupError('--stage wants the name of one image');
    await stageImage(root, names[0]!, values.stage);
  } else {
    for (const name of names) {
      await (engine === undefined ? buildImage(name) : buildFromDockerfile(engine, name));
      console.log(`images: ${tagOf(name)} in build/images/${name}.tar`);
    }
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`images: ${error.message}`);
  process.exit(1);
}
