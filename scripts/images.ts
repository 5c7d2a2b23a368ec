/**
 * `npm run images [-- NAME…]`: the images of the trainer and the operator as archives under build/images/, for
 * `ctr images import`, `docker load` or `kind load image-archive`. Needs no container engine; images/Dockerfile is for
 * those who have one. With SIMSIAM_DEVICE=gpu at set-up the trainer carries the CUDA build.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packLayer, writeArchive } from './images/archive.ts';
import { baseLayers } from './images/base-layer.ts';
import { imageNames, images, type ImageName } from './images/contents.ts';
import { stageImage } from './images/stage.ts';
import { cacheFolder } from '../storage/cache-folder.ts';
import { SetupError } from './setup/errors.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = join(root, 'build/images');

async function buildImage(name: ImageName): Promise<void> {
  const stage = join(target, 'stage', name);
  const layer = join(target, `${name}-layer.tar`);
  await stageImage(root, name, stage);
  await packLayer(stage, layer);
  const file = join(target, `${name}.tar`);
  const tag = `simsiam-${name}:dev`;
  const layers = [...(await baseLayers(cacheFolder())), layer];
  await writeArchive(file, { tag, layers, entrypoint: [`/usr/local/bin/${images[name].program.name}`] });
  await rm(layer);
  await rm(stage, { recursive: true });
  console.log(`images: ${tag} in build/images/${name}.tar`);
}

try {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => !(imageNames as string[]).includes(name));
  if (unknown !== undefined) throw new SetupError(`there is no image ${unknown}: there are ${imageNames.join(', ')}`);
  await mkdir(target, { recursive: true });
  for (const name of imageNames) if (wanted.length === 0 || wanted.includes(name)) await buildImage(name);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`images: ${error.message}`);
  process.exit(1);
}
