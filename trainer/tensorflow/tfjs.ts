/**
 * tfjs, for its API, its kernels and its automatic differentiation. This is the only importer of the package.
 *
 * Ordinary `tf.*` calls outside a trace run eagerly in tfjs-node's own context; inside {@link Runtime.trace} they are
 * recorded. TensorFlow's intra-op thread pool belongs to the process and is made by the first context, which is
 * tfjs-node's: whoever starts the process sets `TF_NUM_INTRAOP_THREADS` (without it: all cores).
 */
// oxlint-disable-next-line import/no-unassigned-import -- it must run before tfjs-node is loaded
import './tfjs-environment.ts';
import * as tf from '@tensorflow/tfjs-node-gpu';

export { tf };
/** A tensor of tfjs: eager outside a trace, symbolic inside one. */
export type Tensor = tf.Tensor;
