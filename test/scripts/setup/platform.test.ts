import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SetupError } from '../../../scripts/setup/errors.ts';
import { cpuWheels, gpuWheels, tensorflowVersion } from '../../../scripts/setup/pins.ts';
import { chooseDevice, wheelsFor } from '../../../scripts/setup/platform.ts';

describe('chooseDevice', () => {
  const cases = [
    { requested: undefined, driver: false, device: 'cpu' },
    { requested: undefined, driver: true, device: 'gpu' },
    { requested: '', driver: true, device: 'gpu' },
    { requested: 'cpu', driver: true, device: 'cpu' },
    { requested: 'gpu', driver: false, device: 'gpu' },
  ] as const;
  for (const { requested, driver, device } of cases) {
    it(`takes ${device} for SIMSIAM_DEVICE=${requested} ${driver ? 'with' : 'without'} a driver`, () => {
      assert.deepEqual(chooseDevice(requested, driver, { platform: 'linux', arch: 'x64' }), { device });
    });
  }

  it('takes the CPU and says so where a driver is, but no TensorFlow with CUDA', () => {
    const host = { platform: 'linux', arch: 'arm64' };
    const { device, note } = chooseDevice(undefined, true, host);
    assert.equal(device, 'cpu');
    assert.match(note ?? '', /^there is no TensorFlow with CUDA for linux-arm64: [^\n]+gpusPerWorker: 0$/);
    assert.equal(wheelsFor({ ...host, device })[0]?.platform, 'manylinux_2_17_aarch64');
    assert.deepEqual(chooseDevice(undefined, false, host), { device: 'cpu' });
    assert.deepEqual(chooseDevice('cpu', true, host), { device: 'cpu' });
    // Which wheelsFor refuses: whoever asks for it is told.
    assert.deepEqual(chooseDevice('gpu', true, host), { device: 'gpu' });
  });

  it('refuses another device and names the allowed ones', () => {
    assert.throws(
      () => chooseDevice('tpu', false, { platform: 'linux', arch: 'x64' }),
      isSetupError(/SIMSIAM_DEVICE=tpu.*cpu or gpu/),
    );
  });
});

describe('wheelsFor', () => {
  const cases = [
    { platform: 'linux', arch: 'x64', name: 'tensorflow-cpu', tag: 'manylinux_2_17_x86_64' },
    { platform: 'linux', arch: 'arm64', name: 'tensorflow', tag: 'manylinux_2_17_aarch64' },
    { platform: 'darwin', arch: 'arm64', name: 'tensorflow', tag: 'macosx_12_0_arm64' },
  ];
  for (const { platform, arch, name, tag } of cases) {
    it(`takes ${name} for ${tag} on ${platform}-${arch}`, () => {
      const wheels = wheelsFor({ platform, arch, device: 'cpu' });
      assert.deepEqual(
        wheels.map((wheel) => [wheel.name, wheel.platform]),
        [[name, tag]],
      );
    });
  }

  it('takes TensorFlow first, then its CUDA libraries, for a GPU', () => {
    const names = wheelsFor({ platform: 'linux', arch: 'x64', device: 'gpu' }).map(({ name }) => name);
    assert.equal(names[0], 'tensorflow');
    for (const library of ['cublas', 'cuda-runtime', 'cudnn', 'nccl']) {
      assert.ok(names.includes(`nvidia-${library}-cu12`), library);
    }
  });

  const refused = [
    { platform: 'win32', arch: 'x64', device: 'cpu', message: /no TensorFlow for win32-x64.*linux-x64.*WSL/ },
    { platform: 'darwin', arch: 'x64', device: 'cpu', message: /no TensorFlow for darwin-x64.*darwin-arm64/ },
    { platform: 'linux', arch: 'riscv64', device: 'cpu', message: /no TensorFlow for linux-riscv64/ },
    { platform: 'darwin', arch: 'arm64', device: 'gpu', message: /CUDA for darwin-arm64.*SIMSIAM_DEVICE=cpu/ },
    { platform: 'linux', arch: 'arm64', device: 'gpu', message: /CUDA for linux-arm64.*SIMSIAM_DEVICE=cpu/ },
  ] as const;
  for (const { message, ...host } of refused) {
    it(`refuses ${host.platform}-${host.arch} for ${host.device}, with what to do`, () => {
      assert.throws(() => wheelsFor(host), isSetupError(message));
    });
  }
});

describe('pins', () => {
  const wheels = [...Object.values(cpuWheels), ...Object.values(gpuWheels).flat()];

  it('are whole: exact versions and SHA-256 digests, no two alike', () => {
    for (const { name, version, sha256 } of wheels) {
      assert.match(version, /^\d+(\.\d+)+$/, name);
      assert.match(sha256, /^[0-9a-f]{64}$/, name);
    }
    assert.equal(new Set(wheels.map(({ sha256 }) => sha256)).size, wheels.length);
  });

  it('hold one TensorFlow version', () => {
    const versions = wheels.filter(({ name }) => name.startsWith('tensorflow')).map(({ version }) => version);
    assert.deepEqual(new Set(versions), new Set([tensorflowVersion]));
  });
});

function isSetupError(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof SetupError && message.test(error.message) && !error.message.includes('\n');
}
