import { basename } from 'node:path';
import { workerPaths } from '../../api/worker.ts';
import type { RunObject, Secret } from '../kube/objects.ts';
import { childMetadata } from './child-metadata.ts';
import { childNames } from './names.ts';

/**
 * The secret that workers of a run show each other. It never changes.
 *
 * @param token text that can't be guessed
 */
export function buildTokenSecret(run: RunObject, token: string): Secret {
  const { name, uid = '' } = run.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: childMetadata(run, childNames.token(name, uid)),
    type: 'Opaque',
    immutable: true,
    data: { [basename(workerPaths.tokenFile)]: Buffer.from(token).toString('base64') },
  };
}
