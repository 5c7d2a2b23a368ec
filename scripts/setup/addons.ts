import { join } from 'node:path';

/** A native addon: all `.cc` files of one folder, linked to one `.node` file. */
export interface Addon {
  readonly name: string;
  /** Folder of the sources, relative to the repository. */
  readonly sources: string;
  /** The `.node` file, relative to the repository. */
  readonly output: string;
  /** Options for each source file, besides those that all addons have. */
  readonly compileFlags: readonly string[];
  /** Folder of libtensorflow relative to that of the output; `null`: the addon doesn't use it. */
  readonly libTensorFlow: string | null;
}

/** Package that `@tensorflow/tfjs-node-gpu` was installed to, relative to the repository. */
export const tfjsPackage = 'node_modules/@tensorflow/tfjs-node-gpu';

/** The same addon binary serves every Node.js from 20 on: Node-API 8 is its stable binary interface. */
export const nodeApiVersion = 8;

// Without contraction a multiply and an add round twice on every processor, so results don't depend on fused ones.
const ownFlags = ['-Wall', '-Wextra', '-Werror=return-type', '-fvisibility=hidden', '-ffp-contract=off'];

export const addons: readonly Addon[] = [
  {
    name: 'tfjs_binding',
    sources: `${tfjsPackage}/binding`,
    // Where @mapbox/node-pre-gyp, by which the package finds its addon, looks under Node-API 8.
    output: `${tfjsPackage}/lib/napi-v${nodeApiVersion}/tfjs_binding.node`,
    compileFlags: ['-w'],
    libTensorFlow: '../../deps/lib',
  },
  {
    name: 'tensorflow',
    sources: 'trainer/tensorflow/native',
    output: 'dist/native/tensorflow.node',
    compileFlags: ownFlags,
    libTensorFlow: join('../..', tfjsPackage, 'deps/lib'),
  },
  {
    name: 'augment',
    sources: 'trainer/data/native',
    output: 'dist/native/augment.node',
    compileFlags: ownFlags,
    libTensorFlow: null,
  },
];
