import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** `importer: imported`, one file each. */
const forbidden = {
  'api/run.ts': '../storage/open-store.ts',
  'api/crd.ts': '../trainer/random.ts',
  'storage/file-store.ts': '../trainer/checkpoint/repository.ts',
  'trainer/random.ts': './data/lanes.ts',
  'trainer/tensorflow/runtime.ts': '../model/resnet.ts',
  'trainer/tensorflow/native.ts': '@tensorflow/tfjs-node-gpu',
  'trainer/data/loader.ts': '../tensorflow/runtime.ts',
  'trainer/model/resnet.ts': '../data/dataset.ts',
  'trainer/model/layers/linear.ts': '../../optimize/sgd.ts',
  'trainer/model/images.ts': '@tensorflow/tfjs-node-gpu',
  'trainer/optimize/sgd.ts': '../model/state.ts',
  'trainer/evaluate/knn.ts': '../data/dataset.ts',
  'trainer/checkpoint/repository.ts': '../tensorflow/runtime.ts',
  'trainer/interchange/convert.ts': '../model/simsiam.ts',
  'trainer/telemetry/progress.ts': '../launch/messages.ts',
  'trainer/launch/launcher.ts': '../tensorflow/runtime.ts',
  'trainer/rendezvous/server.ts': '../rank/run-rank.ts',
  'trainer/worker/environment.ts': '../tensorflow/runtime.ts',
  'trainer/pretrain/stage.ts': '../../cli/main.ts',
  'trainer/rank-main.ts': '@kubernetes/client-node',
  'trainer/rank/context.ts': '../../operator/reconcile.ts',
  'trainer/embed/embed.ts': '../../cli/main.ts',
  'trainer/estimate/network-size.ts': '../model/resnet.ts',
  'trainer/report/sections.ts': '../evaluate/knn.ts',
  'trainer/report/page.ts': '../tensorflow/runtime.ts',
  'operator/reconcile/run.ts': '../../trainer/random.ts',
  'operator/main.ts': '@kubernetes/client-node',
  'operator/kube/store.ts': '../reconcile/run.ts',
  'operator/reconcile/reconcile.ts': '../controller/perform.ts',
  'operator/resources/job.ts': '../reconcile/judge.ts',
  'operator/progress/scraper.ts': '../controller/caches.ts',
  'operator/metrics/metrics.ts': '../controller/caches.ts',
  'cli/commands/dataset.ts': '../../scripts/setup/cache.ts',
  'cli/cluster/status.ts': '../../operator/reconcile/phase.ts',
  'cli/cluster/pods.ts': '@kubernetes/client-node',
};

const allowed = {
  'api/manifest.ts': './errors.ts',
  'storage/open-store.ts': '../api/storage.ts',
  'trainer/tensorflow/tfjs.ts': '@tensorflow/tfjs-node-gpu',
  'trainer/data/lanes.ts': '../random.ts',
  'trainer/model/similarity.ts': '../tensorflow/raw-op.ts',
  'trainer/model/layers/relu.ts': '../layer.ts',
  'trainer/evaluate/features.ts': '../model/resnet.ts',
  'trainer/interchange/source.ts': '../checkpoint/safetensors.ts',
  'trainer/launch/plan.ts': '../../api/run.ts',
  'trainer/rendezvous/node.ts': '../launch/attempt.ts',
  'trainer/worker/run-worker.ts': '../rendezvous/node.ts',
  'trainer/pretrain/step.ts': '../data/loader.ts',
  'trainer/rank/run-rank.ts': '../pretrain/loop.ts',
  'trainer/embed/knn.ts': '../evaluate/knn.ts',
  'trainer/estimate/step-size.ts': '../model/architectures.ts',
  'trainer/report/alarm.ts': '../evaluate/collapse.ts',
  'trainer/interchange/onnx/proto.ts': '../../protobuf.ts',
  'cli/main.ts': '../trainer/launch/launcher.ts',
  'cli/cluster/cluster.ts': '../../operator/kube/http.ts',
  'operator/reconcile/stage.ts': '../kube/objects.ts',
  'operator/kube/errors.ts': '../../api/errors.ts',
  'operator/resources/service.ts': '../kube/objects.ts',
  'operator/controller/observe.ts': '../reconcile/observed.ts',
  'operator/kube/kube-config.ts': '@kubernetes/client-node',
};

describe('the import rules between rooms', () => {
  let folder: string;
  let flagged: Set<string>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simsiam-rules-'));
    await copyFile(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    for (const [importer, imported] of Object.entries({ ...forbidden, ...allowed })) {
      await mkdir(dirname(join(folder, importer)), { recursive: true });
      await writeFile(join(folder, importer), `export { x } from '${imported}';\n`);
    }
    const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
    const { stdout } = spawnSync(process.execPath, [oxlint, '--format=json'], { cwd: folder, encoding: 'utf8' });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] };
    const violations = diagnostics.filter(({ code }) => code.includes('no-restricted-imports'));
    flagged = new Set(violations.map(({ filename }) => filename));
  });
  after(() => rm(folder, { recursive: true }));

  for (const [importer, imported] of Object.entries(forbidden)) {
    it(`forbid ${imported} in ${importer}`, () => assert.ok(flagged.has(importer)));
  }
  for (const [importer, imported] of Object.entries(allowed)) {
    it(`allow ${imported} in ${importer}`, () => assert.ok(!flagged.has(importer)));
  }
});
