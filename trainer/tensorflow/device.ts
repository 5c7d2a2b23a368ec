import { requireSession } from './active-session.ts';

/** Whether the function that is traced will run on a GPU. */
export function onGpu(): boolean {
  return requireSession('onGpu').gpu;
}

/** Whether XLA compiles what isn't a convolution or a matrix product: see tfjs-environment.ts. */
export function compiledByXla(): boolean {
  return /--tf_xla_auto_jit=[12]/.test(process.env['TF_XLA_FLAGS'] ?? '');
}
