/**
 * `npm run tools [-- NAME…]`: builds programs that the tests use into the cache, or finds them there, and prints their
 * paths. Tests ask for the one that they need themselves; this is for a machine that keeps them between runs.
 */
import { crane, helm, kind, kubeRouter, kueue, kwok } from './tools/cluster-tools.ts';
import { coredns, kubernetes } from './tools/kubernetes.ts';
import { actionlint, krew } from './tools/release-tools.ts';
import { onnxruntime } from './tools/onnxruntime.ts';
import { versitygw } from './tools/versitygw.ts';
import { SetupError } from './setup/errors.ts';

const tools: Readonly<Record<string, () => Promise<string>>> = {
  kubernetes,
  coredns,
  helm,
  crane,
  kind,
  kwok,
  kueue,
  'kube-router': kubeRouter,
  krew,
  actionlint,
  onnxruntime,
  versitygw,
};

try {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !(name in tools));
  if (unknown !== undefined) {
    throw new SetupError(`there is no tool ${unknown}: there are ${Object.keys(tools).join(', ')}`);
  }
  for (const name of names.length === 0 ? Object.keys(tools) : names) console.log(`${name}: ${await tools[name]!()}`);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`tools: ${error.message}`);
  process.exit(1);
}
