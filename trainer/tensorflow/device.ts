import { requireSession } from './active-session.ts';

/** Whether the function that is traced will run on a GPU. */
export function onGpu(): boolean {
  return requireSession('onGpu').gpu;
}
