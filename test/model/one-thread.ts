/**
 * To be imported before TensorFlow: oneDNN then works with one thread, as in a rank of one. Its choice of blocks depends on it.
 */
export const threads = 1;
process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
