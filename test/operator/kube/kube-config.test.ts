import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { KubeConfigError } from '../../../operator/kube/errors.ts';
import { loadConnection } from '../../../operator/kube/kube-config.ts';

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: first
clusters:
  - {name: plain, cluster: {server: 'https://10.0.0.1:6443/', certificate-authority-data: Y2E=}}
  - {name: proxied, cluster: {server: 'https://10.0.0.2:6443', proxy-url: 'http://10.0.0.3:3128'}}
users:
  - {name: token, user: {token: secret}}
  - {name: exec, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./no-such-plugin}}}
contexts:
  - {name: first, context: {cluster: plain, user: token, namespace: team}}
  - {name: second, context: {cluster: proxied, user: token}}
  - {name: plugin, context: {cluster: plain, user: exec}}
  - {name: broken, context: {cluster: nowhere, user: token}}
`;

describe('loadConnection', () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'simsiam-'));
    file = join(folder, 'config');
    writeFileSync(file, kubeconfig);
  });
  after(() => rmSync(folder, { recursive: true }));

  it('takes server, namespace, certificate and token of the current context', async () => {
    const connection = loadConnection({ file });
    assert.equal(connection.server, 'https://10.0.0.1:6443');
    assert.equal(connection.namespace, 'team');
    const { headers, ca, agent } = await connection.authorize();
    assert.deepEqual(headers, { Authorization: 'Bearer secret' });
    assert.equal(String(ca), 'ca');
    assert.equal(agent, undefined);
  });

  it('takes another context on request, with its proxy and the default namespace', async () => {
    const connection = loadConnection({ file, context: 'second' });
    assert.equal(connection.server, 'https://10.0.0.2:6443');
    assert.equal(connection.namespace, 'default');
    assert.notEqual((await connection.authorize()).agent, undefined);
  });

  it('needs one', (t) => {
    const { KUBECONFIG, HOME } = process.env;
    t.after(() => {
      process.env['HOME'] = HOME;
      if (KUBECONFIG !== undefined) process.env['KUBECONFIG'] = KUBECONFIG;
    });
    process.env['HOME'] = folder;
    delete process.env['KUBECONFIG'];
    assert.throws(() => loadConnection(), /there is no kubeconfig: set KUBECONFIG/);
    process.env['KUBECONFIG'] = file;
    assert.equal(loadConnection().namespace, 'team');
    delete process.env['KUBECONFIG'];
  });

  it('tells what is wrong with the file, the context and the credentials', async () => {
    const isError = (message: RegExp) => (thrown: unknown) =>
      thrown instanceof KubeConfigError && message.test(thrown.message);
    assert.throws(() => loadConnection({ file: join(folder, 'none') }), isError(/can't be read: ENOENT/));
    assert.throws(() => loadConnection({ file, context: 'third' }), isError(/no context 'third'.* first, second/));
    assert.throws(() => loadConnection({ file, context: 'broken' }), isError(/no cluster 'nowhere'/));
    await assert.rejects(loadConnection({ file, context: 'plugin' }).authorize(), isError(/no-such-plugin/));
  });
});
