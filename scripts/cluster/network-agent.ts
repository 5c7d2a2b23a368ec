import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { cacheFolder } from '../../storage/cache-folder.ts';
import { packLayer, writeArchive } from '../images/archive.ts';
import { makeAtomically } from '../setup/cache.ts';
import { kubeRouter } from '../tools/cluster-tools.ts';
import { must } from './system.ts';

export const networkAgentImage = 'docker.io/library/kube-router:test';

const suite = 'bookworm';
/** What it calls. */
const packages = ['base-files', 'iptables', 'ipset'];
/** Names of iptables' one program, which the package's scripts would make; they are not run. */
const iptables = ['', '-save', '-restore'].flatMap((part) => [`iptables${part}`, `ip6tables${part}`]);

/**
 * The archive of an image that enforces NetworkPolicies on a node, beside any network plugin. Kept in the cache.
 * @throws SetupError without Go or mmdebstrap
 */
export async function networkAgentArchive(cache = cacheFolder()): Promise<string> {
  const program = await kubeRouter(cache);
  const key = createHash('sha256')
    .update([suite, ...packages, ...iptables].join())
    .digest('hex')
    .slice(0, 12);
  const target = join(cache, 'images', `${basename(dirname(program))}-${key}`);
  const archive = join(target, 'image.tar');
  if (existsSync(archive)) return archive;
  await makeAtomically(target, cache, async (work) => {
    await mkdir(work, { recursive: true });
    const tree = join(work, 'tree');
    const layer = join(work, 'layer.tar');
    await must('mmdebstrap', '--variant=extract', `--include=${packages.join()}`, suite, tree);
    const bin = join(tree, 'usr/local/bin');
    await mkdir(bin, { recursive: true });
    await copyFile(program, join(bin, 'kube-router'));
    for (const name of iptables) await symlink('xtables-nft-multi', join(tree, 'usr/sbin', name));
    await packLayer(tree, layer);
    await rm(tree, { recursive: true });
    const config = { Entrypoint: ['/usr/local/bin/kube-router'], Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] };
    await writeArchive(join(work, 'image.tar'), { tags: [networkAgentImage], layers: [layer], config });
    await rm(layer);
  });
  return archive;
}
