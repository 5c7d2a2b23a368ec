import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** How the goldens are made is told in test/goldens/README.md: weights and images come from this hash. */
const GOLDENS = fileURLToPath(new URL('../../../test/goldens/', import.meta.url));

export function readGolden<T>(file: string): T {
  return JSON.parse(readFileSync(GOLDENS + file, 'utf8')) as T;
}

/** u = hash / 2³² for the elements 0 … n − 1 of a stream. */
export function uniforms(stream: number, n: number, seed: number): Float64Array {
  const start = (Math.imul(0x9e3779b9, stream) + Math.imul(0x85ebca6b, seed)) >>> 0;
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let x = (start + i) >>> 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d);
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b);
    x ^= x >>> 16;
    values[i] = (x >>> 0) / 2 ** 32;
  }
  return values;
}

/** Values of one entry of the state by its name, in PyTorch's layout. */
export function goldenWeights(name: string, shape: readonly number[], stream: number, seed: number): Float32Array {
  const n = shape.reduce((a, b) => a * b, 1);
  if (name.endsWith('running_mean')) return new Float32Array(n);
  if (name.endsWith('running_var')) return new Float32Array(n).fill(1);
  const centred = uniforms(stream, n, seed).map((u) => 2 * u - 1);
  if (shape.length > 1) {
    const bound = Math.sqrt(3 / (n / shape[0]!));
    return single(centred, (c) => c * bound);
  }
  if (name.endsWith('bias')) return single(centred, (c) => 0.1 * c);
  return single(centred, (c) => 1 + 0.1 * c);
}

/** Momentum buffer of the entry at `position` in the state. */
export function goldenMomentum(n: number, position: number, seed: number): Float32Array {
  return single(uniforms(3000 + position, n, seed), (u) => 0.01 * (2 * u - 1));
}

/**
 * Random signs that reduce a change to one number.
 * @param place Among the updates, or among the running statistics, as the golden lists them (not in the `state_dict`).
 */
export function goldenSigns(n: number, place: number): Float32Array {
  return single(uniforms(5000 + place, n, 0), (u) => Math.sign(u - 0.5));
}

/** As `Float32Array.from`, whose iterator is slow over millions of them. */
function single(values: Float64Array, of: (value: number) => number): Float32Array {
  const rounded = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) rounded[i] = of(values[i]!);
  return rounded;
}

/** Smooth noise images, NHWC (the goldens are NCHW). */
export function goldenImages(stream: number, n: number, size: number, seed: number): Float32Array {
  const low = size / 8;
  const coarse = uniforms(stream, n * 3 * low * low, seed);
  const fine = uniforms(stream + 1, n * 3 * size * size, seed);
  const images = new Float32Array(n * size * size * 3);
  const taps = Array.from({ length: size }, (_, i) => {
    const at = Math.max(0, (i + 0.5) / 8 - 0.5);
    const first = Math.floor(at);
    return { first, second: Math.min(first + 1, low - 1), weight: at - first };
  });
  for (let image = 0; image < n; image++) {
    for (let channel = 0; channel < 3; channel++) {
      const plane = (image * 3 + channel) * low * low;
      const value = (y: number, x: number): number => 2 * coarse[plane + y * low + x]! - 1;
      taps.forEach((ty, y) => {
        taps.forEach((tx, x) => {
          const top = value(ty.first, tx.first) * (1 - tx.weight) + value(ty.first, tx.second) * tx.weight;
          const bottom = value(ty.second, tx.first) * (1 - tx.weight) + value(ty.second, tx.second) * tx.weight;
          const noise = 2 * fine[((image * 3 + channel) * size + y) * size + x]! - 1;
          images[((image * size + y) * size + x) * 3 + channel] =
            top * (1 - ty.weight) + bottom * ty.weight + 0.2 * noise;
        });
      });
    }
  }
  return images;
}
