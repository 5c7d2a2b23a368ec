import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A user of an API server, who proves who it is by a token. */
export interface User {
  readonly name: string;
  /** Default: none. `system:masters` may do everything. */
  readonly groups?: readonly string[];
}

/** Writes the keys that service account tokens are signed with: `sa.key` and `sa.pub`, both PEM. */
export function writeServiceAccountKeys(folder: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  writeFileSync(join(folder, 'sa.key'), privateKey, { mode: 0o600 });
  writeFileSync(join(folder, 'sa.pub'), publicKey);
}

/** Writes `tokens.csv`, which the API server reads at its start, with a fresh token for each user. Returns them by name. */
export function writeTokens(folder: string, users: readonly User[]): ReadonlyMap<string, string> {
  const tokens = new Map(users.map(({ name }) => [name, randomBytes(16).toString('hex')]));
  const lines = users.map(({ name, groups = [] }) => `${tokens.get(name)},"${name}","${name}","${groups.join(',')}"\n`);
  writeFileSync(join(folder, 'tokens.csv'), lines.join(''), { mode: 0o600 });
  return tokens;
}

/** A kubeconfig as kubectl and the operator read it. */
export function kubeconfigOf(server: string, caFile: string, token: string, namespace = 'default'): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'cluster', cluster: { server, 'certificate-authority': caFile } }],
    users: [{ name: 'user', user: { token } }],
    contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user', namespace } }],
    'current-context': 'context',
  });
}
