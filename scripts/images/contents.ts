/** What is in an image besides its base. */
export interface ImageContents {
  /** What `simsiam` or `simsiam-operator` on the path starts. `nodeFlag`: of Node; a script's first line can carry one. */
  readonly program: { readonly name: string; readonly script: string; readonly nodeFlag?: string };
  /** Absent where the program is bundled: one file with what it uses of its packages. */
  readonly files?: ProgramFiles;
}

/** Rooms of the sources and the packages that they import. */
export interface ProgramFiles {
  readonly rooms: readonly string[];
  /** Folders of files that aren't code, which stay where they lie among the sources. */
  readonly assets: readonly string[];
  /** Direct dependencies; those of theirs follow from the lockfile. */
  readonly packages: readonly string[];
  /** Whether it has TensorFlow's library and our addons. */
  readonly native: boolean;
}

/** The operator does no maths and the trainer knows no Kubernetes: neither carries what only the other needs. */
export const images = {
  trainer: {
    program: { name: 'simsiam', script: 'dist/cli/main.js' },
    files: {
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
    },
  },
  // Of the generated models of the Kubernetes client, which take over 60 MiB of memory, a bundle has the few that are used.
  operator: {
    // The default lets 48 MiB of short-lived objects pile up; a copy of some thousand pods makes many of them.
    program: { name: 'simsiam-operator', script: 'dist/operator/main.js', nodeFlag: '--max-semi-space-size=4' },
  },
} as const satisfies Record<string, ImageContents>;

export type ImageName = keyof typeof images;
export const imageNames = Object.keys(images) as ImageName[];
