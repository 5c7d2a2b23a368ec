import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { decodeSafetensors } from '../../trainer/checkpoint/safetensors.ts';
import { readNetwork } from '../../trainer/interchange/read-network.ts';
import { freePorts } from '../../trainer/launch/ports.ts';
import { start, type Ended } from '../cli/fixtures/processes.ts';
import { eventsOf, Workplace } from './fixtures/workplace.ts';

/** The tiny run of the other tests, in flags. */
const network = ['-a', 'resnet18', '--set', 'pretrain.stem=cifar', '--set', 'pretrain.width=4'];
const tiny = [
  ...['data', ...network, '--set', 'pretrain.imageSize=16', '--set', 'threadsPerRank=1', '-j', '1'],
  ...['--set', 'pretrain.knn.k=5', '--set', 'pretrain.knn.bankSize=64'],
];
const pretrainFlags = [...tiny, '-b', '8', '--epochs', '2', '--dim', '32', '--pred-dim', '8'];
const linearFlags = [...tiny, '-b', '6', '--epochs', '2', '--lr', '10'];

describe("the original's commands", { timeout: 1_800_000 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.open();
  });
  after(() => workplace.close());

  const simsiam = async (...args: string[]): Promise<Ended> => await start('simsiam', args, workplace.folder).ended;
  const files = (folder: string): string[] => readdirSync(workplace.path(folder)).toSorted();

  test('pretrain, then linear: log lines and files of the original, beside our own store', async () => {
    const trained = await simsiam(
      'pretrain',
      ...pretrainFlags,
      '--output',
      'out',
      '--log-format',
      'classic',
      '-p',
      '5',
    );
    assert.equal(trained.code, 0, trained.stderr);
    const lines = trained.stdout.split('\n').filter((line) => line.startsWith('Epoch'));
    const line =
      /^Epoch: \[(\d)\]\[(\d)\/8\]\tTime {2}\d\.\d{3} \( \d\.\d{3}\)\tData {2}\d\.\d{3} \( \d\.\d{3}\)\tLoss -?\d\.\d{4} \(-?\d\.\d{4}\)$/;
    assert.deepEqual(
      lines.map((text) => line.exec(text)?.slice(1).join(' ') ?? text),
      ['0 0', '0 5', '1 0', '1 5'],
    );
    assert.deepEqual(files('out'), ['checkpoint_0000.pth.tar', 'checkpoint_0001.pth.tar', 'simsiam-pretrain']);
    const last = await readNetwork(workplace.path('out/checkpoint_0001.pth.tar'));
    assert.equal(last.epoch, 2);
    const store = 'out/simsiam-pretrain/pretrain/checkpoints/step-16-g1';
    for (const [name, tensors] of [
      ['model', last.tensors],
      ['optimizer', last.momenta],
    ] as const)
      assert.deepEqual(tensors, decodeSafetensors(readFileSync(workplace.path(store, `${name}.safetensors`))).tensors);

    const pretrained = ['--pretrained', 'out/checkpoint_0001.pth.tar'];
    const evaluated = await simsiam(
      'linear',
      ...linearFlags,
      ...pretrained,
      '--output',
      'out',
      '--log-format',
      'classic',
    );
    assert.equal(evaluated.code, 0, evaluated.stderr);
    const accuracies = Array.from(
      evaluated.stdout.matchAll(/^ \* Acc@1 (\d+\.\d{3}) Acc@5 100\.000$/gm),
      ([, top1]) => top1!,
    );
    assert.equal(accuracies.length, 2);
    // 24 validation images in batches of 6, once an epoch.
    const tested = evaluated.stdout.match(
      /^Test: \[0\/4\]\tTime +\d+\.\d{3} .*\tLoss \d\.\d{4}e[+-]\d\d .*\tAcc@5 100\.00/gm,
    );
    assert.equal(tested?.length, 2, evaluated.stdout);
    assert.match(
      evaluated.stdout,
      /^Epoch: \[0\]\[ 0\/11\]\t.*\tLoss \d\.\d{4}e[+-]\d\d \(.*\)\tAcc@1 [\d ]\d{2}\.\d\d/m,
    );
    assert.deepEqual(
      files('out').filter((name) => !name.startsWith('checkpoint_')),
      [...['checkpoint.pth.tar', 'model_best.pth.tar', 'simsiam-linear', 'simsiam-pretrain']],
    );
    const linear = await readNetwork(workplace.path('out/checkpoint.pth.tar'));
    const best = Math.max(...accuracies.map(Number));
    assert.equal(linear.epoch, 2);
    assert.equal(linear.bestTop1!.toFixed(3), best.toFixed(3));
    assert.deepEqual(
      linear.momenta.map(({ name, shape }) => [name, shape]),
      [
        ['fc.weight', [4, 32]],
        ['fc.bias', [4]],
      ],
    );
    // All but the classifier is the checkpoint's, to the bit.
    const backbone = new Map(last.tensors.map(({ name, bytes }) => [name, bytes]));
    const rest = linear.tensors.filter(({ name }) => !name.startsWith('fc.'));
    assert.equal(rest.length, 120);
    for (const { name, bytes } of rest) assert.deepEqual(bytes, backbone.get(`encoder.${name}`), name);

    // What it leaves can be measured again, and gone on from.
    const file = ['--resume', 'out/model_best.pth.tar'];
    const measured = await simsiam('linear', ...linearFlags, '-e', ...file, '--log-format', 'classic');
    assert.equal(measured.code, 0, measured.stderr);
    assert.match(measured.stdout, new RegExp(`^ \\* Acc@1 ${best.toFixed(3)} Acc@5 100\\.000$`, 'm'));
    assert.doesNotMatch(measured.stdout, /^Epoch/m);
    const resume = ['--resume', 'out/checkpoint.pth.tar', '--output', 'more'];
    const more = await simsiam('linear', ...linearFlags, ...resume, '--epochs', '3', '--output', 'longer');
    assert.equal(more.code, 0, more.stderr);
    assert.deepEqual(
      eventsOf(more)
        .filter((event) => event['epochEnd'] === true)
        .map((event) => event['epoch']),
      [2],
    );
  });

  test("--resume of one's own checkpoint goes on in the store; in another folder it starts from the file", async () => {
    const resume = ['--resume', 'out/checkpoint_0000.pth.tar'];
    const own = await simsiam('pretrain', ...pretrainFlags, ...resume, '--output', 'out');
    assert.equal(own.code, 0, own.stderr);
    assert.match(own.stderr, /out\/simsiam-pretrain has this run: it goes on there/);
    const other = await simsiam('pretrain', ...pretrainFlags, ...resume, '--output', 'other');
    assert.equal(other.code, 0, other.stderr);
    assert.deepEqual(files('other'), ['checkpoint_0001.pth.tar', 'simsiam-pretrain']);
    // The second epoch again, from weights and momenta of the first: the original's files leave nothing else out.
    const bytes = (folder: string): Buffer => readFileSync(workplace.path(folder, 'checkpoint_0001.pth.tar'));
    assert.ok(bytes('other').equals(bytes('out')));
  });

  test('what another run has left is not overwritten; a GPU that is not there is no start on the cores', async () => {
    writeFileSync(workplace.path('checkpoint_0007.pth.tar'), 'weeks of computing');
    const refused = await simsiam('pretrain', ...pretrainFlags);
    assert.match(
      refused.stderr,
      /^error: checkpoint_0007\.pth\.tar is of another run and would be overwritten: .* \[CLI_USAGE\]\n$/,
    );
    assert.equal(refused.code, 64);
    const gpu = await simsiam('pretrain', ...pretrainFlags, '--gpu', '99', '--output', 'gpu');
    assert.match(gpu.stderr, /^error: --gpu 99: this machine has /);
  });

  test('two machines by hand: what two ranks of one machine leave', async () => {
    const [port] = await freePorts(1);
    const flags = [...pretrainFlags, '--world-size', '2', '--dist-backend', 'grpc', '--output', 'two'];
    const first = start(
      'simsiam',
      ['pretrain', ...flags, '--rank', '0', '--dist-url', `tcp://127.0.0.1:${port}`],
      workplace.folder,
    );
    const env = { ...process.env, MASTER_ADDR: '127.0.0.1', MASTER_PORT: String(port), RANK: '1' };
    const second = start('simsiam', ['pretrain', ...flags, '--dist-url', 'env://'], workplace.folder, env);
    const ends = await Promise.all([first.ended, second.ended]);
    for (const { code, stderr } of ends) assert.equal(code, 0, stderr);
    assert.match(ends[0].stderr, /^the result is in two\/simsiam-pretrain: /m);
    assert.match(ends[1].stderr, /^the result is on machine 0, in two\/simsiam-pretrain: /m);
    assert.deepEqual(files('two'), ['checkpoint_0000.pth.tar', 'checkpoint_0001.pth.tar', 'simsiam-pretrain']);
    const pretrain = { epochs: 2, fixPredictorLearningRate: false };
    const alone = await workplace.run({ storage: 'alone', pretrain, linear: { epochs: 0, baselines: false } });
    assert.equal(alone.code, 0, alone.stderr);
    const history = (store: string): string => readFileSync(workplace.path(store, 'pretrain/history.jsonl'), 'utf8');
    assert.equal(history('two/simsiam-pretrain'), history('alone'));
  });

  test('--print-manifest: what the flags mean, for simsiam run', async () => {
    const printed = await simsiam('pretrain', ...pretrainFlags, '--print-manifest', '--output', 'printed');
    assert.equal(printed.code, 0, printed.stderr);
    assert.match(printed.stdout, /^ {4}batchSize: 8$/m);
    assert.match(printed.stdout, /^ {4}uri: printed\/simsiam-pretrain$/m);
  });
});
