/** One of two ranks that compare states. Arguments: rank, then the addresses of both. Sends its {@link Verdicts} and ends. */
import { SimSiamError } from '../../api/errors.ts';
import { DigestCheck } from '../../trainer/pretrain/digest.ts';
import { Runtime, type TensorList } from '../../trainer/tensorflow/runtime.ts';

/** Exit code, code and message by case; of one that passed nothing but that. */
export type Verdicts = Readonly<Record<string, readonly [exitCode: number, code: string, message: string] | 'sound'>>;

const [own, ...addresses] = process.argv.slice(2) as [string, ...string[]];
const rank = Number(own);
const runtime = Runtime.open({
  ...{ threads: 1, cluster: { rank, addresses } },
  collective: { hint: 'ring', timeoutSeconds: 120 },
});
const size = 10_000;
const names = ['weight', 'bias', 'weight.momentum', 'bias.momentum', 'running_mean'];

/** Their sum is so large that a float32 doesn't show the last bit of one of them. */
const valueAt = (i: number): number => 1 + Math.sin(i) / 3;

/** Two trainable tensors with their momenta, and a statistic, of which one value can be changed. */
function stateOf(change?: { readonly tensor: string; readonly value: number }) {
  const lists = [names.slice(0, 2), names.slice(2, 4), names.slice(4)].map((tensors) =>
    runtime.tensors(
      tensors.map((name) => {
        const bytes = Float32Array.from({ length: size }, (_, i) => (name === 'bias' ? 1 : valueAt(i)));
        if (name === change?.tensor) bytes[size / 2] = change.value;
        return { spec: { dtype: 'float32', shape: [size] } as const, bytes };
      }),
    ),
  );
  const [trainable, momenta, statistics] = lists as [TensorList, TensorList, TensorList];
  return { trainable, momenta, statistics };
}

/** One float32 beside the value that is there: the last bit of one number of ten thousand. */
const beside = ((): number => {
  const bits = new Int32Array(Float32Array.of(valueAt(size / 2)).buffer);
  bits[0]! ^= 1;
  return new Float32Array(bits.buffer)[0]!;
})();
const onRank = (which: number, tensor: string, value: number) => (rank === which ? { tensor, value } : undefined);
const cases = {
  'the same everywhere': undefined,
  'one bit on rank 1': onRank(1, 'bias.momentum', beside),
  'a larger weight on rank 0': onRank(0, 'bias', 2),
  'infinite on both': { tensor: 'running_mean', value: Infinity },
  'no number on both': { tensor: 'weight', value: NaN },
  'no number on rank 1': onRank(1, 'weight', NaN),
  'no number on rank 0': onRank(0, 'weight', NaN),
};

const check = new DigestCheck(runtime, stateOf(), names);
const verdicts: Record<string, Verdicts[string]> = {};
for (const [name, change] of Object.entries(cases)) {
  try {
    await check.assertSound(stateOf(change), 7);
    verdicts[name] = 'sound';
  } catch (thrown) {
    if (!(thrown instanceof SimSiamError)) throw thrown;
    verdicts[name] = [thrown.exitCode, thrown.code, thrown.message];
  }
}
process.send!(verdicts, () => process.exit(0));
