/** What is in an image: rooms of the sources and the packages that they import. */
export interface ImageContents {
  readonly rooms: readonly string[];
  /** Folders of files that aren't code, which stay where they lie among the sources. */
  readonly assets: readonly string[];
  /** Direct dependencies; those of theirs follow from the lockfile. */
  readonly packages: readonly string[];
  /** Whether it has TensorFlow's library and our addons. */
  readonly native: boolean;
  /** What `simsiam` or `simsiam-operator` on the path starts. */
  readonly program: { readonly name: string; readonly script: string };
}

/** The operator does no maths and the trainer knows no Kubernetes: neither carries what only the other needs. */
export const images = {
  trainer: {
    rooms: ['api', 'cli', 'storage', 'trainer'],
    assets: ['trainer/report/assets'],
    packages: [
      '@aws-sdk/client-s3',
      '@julusian/jpeg-turbo',
      '@tensorflow/tfjs-node-gpu',
      'cli-progress',
      'commander',
      'd3-scale',
      'd3-shape',
      'pino',
      'piscina',
      'prom-client',
      'sharp',
      'tar-stream',
      'umap-js',
      'yaml',
      'zod',
    ],
    native: true,
    program: { name: 'simsiam', script: 'dist/cli/main.js' },
  },
  operator: {
    rooms: ['api', 'operator'],
    assets: [],
    packages: ['@kubernetes/client-node', 'commander', 'pino', 'prom-client', 'yaml', 'zod'],
    native: false,
    program: { name: 'simsiam-operator', script: 'dist/operator/main.js' },
  },
} as const satisfies Record<string, ImageContents>;

export type ImageName = keyof typeof images;
export const imageNames = Object.keys(images) as ImageName[];
