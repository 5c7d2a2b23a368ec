import { cast } from '../tensorflow/raw-op.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';

export interface PixelNormalization {
  /** Of pixels in [0, 1]: red, green, blue. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** uint8 [n, s, s, 3] → float32, in [0, 1], then normalised by channel. */
export function normalizePixels(images: Tensor, { mean, std }: PixelNormalization): Tensor {
  const unit = tf.div(cast(images, 'float32'), 255);
  return tf.div(tf.sub(unit, tf.tensor1d([...mean])), tf.tensor1d([...std]));
}
