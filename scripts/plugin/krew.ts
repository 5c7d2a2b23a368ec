import { stringify } from 'yaml';

export interface Release {
  readonly version: string;
  /** `owner/name` on GitHub, whose releases have the archive. */
  readonly repository: string;
  /** Name of the archive. */
  readonly file: string;
  readonly sha256: string;
}

/** What Krew, the manager of kubectl's plugins, installs the plugin by. The archive is the same for all platforms. */
export function krewManifest({ version, repository, file, sha256 }: Release): string {
  return stringify({
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'simsiam' },
    spec: {
      version: `v${version}`,
      homepage: `https://github.com/${repository}`,
      shortDescription: 'Submit, watch and stop SimSiam pre-training runs',
      description:
        'Runs SimSiam self-supervised pre-training on a cluster with the simsiam-operator: submit, status, top, logs, ' +
        'suspend, resume, delete, and the page of a run.\n',
      caveats: 'It needs Node.js 20.19 or newer on the path, and the operator in the cluster.\n',
      platforms: [
        {
          selector: { matchExpressions: [{ key: 'os', operator: 'In', values: ['linux', 'darwin'] }] },
          uri: `https://github.com/${repository}/releases/download/v${version}/${file}`,
          ...{ sha256, bin: 'kubectl-simsiam' },
        },
      ],
    },
  });
}
