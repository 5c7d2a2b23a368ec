import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Addon } from '../../../scripts/setup/addons.ts';
import { planBuild } from '../../../scripts/setup/build.ts';
import { libTensorFlow } from '../../../scripts/setup/libtensorflow.ts';
import type { Device } from '../../../scripts/setup/platform.ts';

const addon: Addon = {
  name: 'sample',
  sources: 'native',
  output: 'dist/native/sample.node',
  compileFlags: ['-Wall'],
  libTensorFlow: '../../deps/lib',
};

describe('planBuild', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'simsiam-build-'));
    await mkdir(join(root, 'native'));
    await write('a.cc', 'int a;');
    await write('b.cc', 'int b;');
    await write('shared.h', 'int f();');
  });
  afterEach(() => rm(root, { recursive: true }));

  const write = (name: string, text: string) => writeFile(join(root, 'native', name), text);
  const plan = (
    of: Addon = addon,
    changes: { platform?: string; arch?: string; device?: Device; cache?: string } = {},
  ) => {
    const { platform, device, cache } = { platform: 'linux', device: 'cpu' as const, cache: '/cache', ...changes };
    const arch = changes.arch ?? (platform === 'darwin' ? 'arm64' : 'x64');
    return planBuild(of, { root, cache, library: libTensorFlow({ platform, arch, device }, cache), platform, arch });
  };

  it('takes every .cc file of the folder', async () => {
    const { objects } = await plan();
    assert.deepEqual(
      objects.map(({ source }) => basename(source)),
      ['a.cc', 'b.cc'],
    );
  });

  it('compiles one file again when that file changes, and links again', async () => {
    const before = await plan();
    await write('a.cc', 'int a2;');
    const after = await plan();
    assert.notEqual(after.objects[0]?.object, before.objects[0]?.object);
    assert.equal(after.objects[1]?.object, before.objects[1]?.object);
    assert.notEqual(after.built, before.built);
  });

  it('compiles all files again when a header changes', async () => {
    const before = await plan();
    await write('shared.h', 'int g();');
    const after = await plan();
    after.objects.forEach(({ object }, i) => assert.notEqual(object, before.objects[i]?.object));
  });

  it('keeps builds for other flags and another TensorFlow apart', async () => {
    const builds = await Promise.all([plan(), plan({ ...addon, compileFlags: [] }), plan(addon, { device: 'gpu' })]);
    assert.equal(new Set(builds.map(({ built }) => built)).size, 3);
  });

  it('keeps builds for other processors apart, with TensorFlow and without', async () => {
    for (const libTensorFlow of [addon.libTensorFlow, null]) {
      const [x64, arm64] = await Promise.all([
        plan({ ...addon, libTensorFlow }),
        plan({ ...addon, libTensorFlow }, { arch: 'arm64' }),
      ]);
      assert.notEqual(x64.built, arm64.built);
      assert.notEqual(x64.objects[0]?.object, arm64.objects[0]?.object);
    }
  });

  it('names a build alike wherever the cache is', async () => {
    const [here, there] = await Promise.all([plan(), plan(addon, { cache: '/elsewhere/cache' })]);
    assert.equal(basename(here.built), basename(there.built));
  });

  it('finds libtensorflow relative to the addon at run time', async () => {
    assert.ok((await plan()).linkArgs.includes('-Wl,-rpath,$ORIGIN/../../deps/lib'));
    const mac = await plan(addon, { platform: 'darwin' });
    assert.ok(mac.linkArgs.includes('-Wl,-rpath,@loader_path/../../deps/lib'));
    assert.ok(mac.linkArgs.some((arg) => arg.endsWith('/libtensorflow_cc.2.dylib')));
  });

  it('leaves TensorFlow out of an addon that does not use it', async () => {
    const { objects, linkArgs } = await plan({ ...addon, libTensorFlow: null });
    assert.ok(![...linkArgs, ...objects.flatMap(({ args }) => args)].some((arg) => arg.includes('tensorflow')));
  });
});
