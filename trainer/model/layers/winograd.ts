import {
  winogradConvolution,
  winogradFilter,
  winogradFilterGradient,
  type ConvolutionType,
} from '../../tensorflow/kernels.ts';
import { tf, type Tensor } from '../../tensorflow/tfjs.ts';
import type { Views } from '../layer.ts';
import { again } from './recompute.ts';

/**
 * Convolutions by Winograd's method. The filter, in float32, is transformed once for all views, and its gradient is added up over
 * all of them before it goes to memory: of a wide layer it is larger than what it is made of.
 */
export function winograd(views: Views, w: Tensor, type: ConvolutionType): Tensor[] {
  const named = Object.fromEntries(views.map((x, i) => [`view${i}`, x]));
  return tf.engine().runKernel(registerKernel(views.length, type), { ...named, filter: w }) as unknown as Tensor[];
}

const registered = new Set<string>();

/** tfjs wants the number of inputs that a kernel saves for its gradient up front: a kernel per number of views. */
function registerKernel(count: number, type: ConvolutionType): string {
  const kernelName = `WinogradOf${count}In${type}`;
  if (registered.has(kernelName)) return kernelName;
  registered.add(kernelName);
  const names = Array.from({ length: count }, (_, i) => `view${i}`);
  tf.registerKernel({
    kernelName,
    backendName: 'tensorflow',
    kernelFunc: ({ inputs }) => {
      const { filter, ...views } = inputs as unknown as Record<string, Tensor>;
      const transformed = winogradFilter(filter!, { type, turned: false });
      return names.map((name) => winogradConvolution(views[name]!, transformed, filter!.shape[3]!));
    },
  });
  tf.registerGradient({
    kernelName,
    inputsToSave: [...names, 'filter'],
    gradFunc: (dy, saved) => {
      // Of one view tfjs gives the gradient itself.
      const dys = [dy].flat();
      const [views, filter] = [saved.slice(0, count), saved[count]!];
      // When the first gradient is there, lest it take memory until then.
      const turned = winogradFilter(filter, { type, turned: true, after: dys.at(-1)! });
      return {
        ...Object.fromEntries(
          names.map((name, i) => [name, () => winogradConvolution(dys[i]!, turned, filter.shape[2]!)]),
        ),
        filter: () =>
          winogradFilterGradient(
            views.map((x) => again(x, dys.at(-1)!)),
            dys,
          ),
      };
    },
  });
  return kernelName;
}
