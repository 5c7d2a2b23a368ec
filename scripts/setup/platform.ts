import { SetupError } from './errors.ts';
import { cpuWheels, gpuWheels, type Wheel } from './pins.ts';

export type Device = 'cpu' | 'gpu';

/** What decides which TensorFlow is installed. `platform` and `arch` are Node's `process.platform` and `process.arch`. */
export interface Host {
  readonly platform: string;
  readonly arch: string;
  readonly device: Device;
}

/** The device to install for, and where a GPU is left out unasked, a line that says so. */
export interface DeviceChoice {
  readonly device: Device;
  readonly note?: string;
}

/**
 * Chooses the device to install for.
 *
 * @param requested the environment variable SIMSIAM_DEVICE: `cpu`, `gpu`, or unset (or empty) to follow `hasNvidiaDriver`
 * where there is a TensorFlow with CUDA
 * @throws SetupError when `requested` is anything else
 */
export function chooseDevice(
  requested: string | undefined,
  hasNvidiaDriver: boolean,
  { platform, arch }: Omit<Host, 'device'>,
): DeviceChoice {
  if (requested === 'cpu' || requested === 'gpu') return { device: requested };
  if (requested === undefined || requested === '') {
    if (!hasNvidiaDriver) return { device: 'cpu' };
    const host = `${platform}-${arch}`;
    if (host in gpuWheels) return { device: 'gpu' };
    return {
      device: 'cpu',
      note: `there is no TensorFlow with CUDA for ${host}: taking that for CPUs; runs need spec.gpusPerWorker: 0`,
    };
  }
  throw new SetupError(`SIMSIAM_DEVICE=${requested} is not allowed: set it to cpu or gpu, or unset it to detect a GPU`);
}

/**
 * The wheels that hold TensorFlow's C library for a host; the first one is TensorFlow itself.
 *
 * @throws SetupError for a host that no pinned wheel supports
 */
export function wheelsFor({ platform, arch, device }: Host): readonly Wheel[] {
  const host = `${platform}-${arch}`;
  if (device === 'gpu') {
    if (host in gpuWheels) return gpuWheels[host as keyof typeof gpuWheels];
    throw new SetupError(
      `there is no TensorFlow with CUDA for ${host}, only for ${list(gpuWheels)}: set SIMSIAM_DEVICE=cpu`,
    );
  }
  if (host in cpuWheels) return [cpuWheels[host as keyof typeof cpuWheels]];
  throw new SetupError(`there is no TensorFlow for ${host}: use one of ${list(cpuWheels)} (Windows: inside WSL 2)`);
}

function list(table: object): string {
  return Object.keys(table).join(', ');
}
