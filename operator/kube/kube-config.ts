import type { Agent } from 'node:http';
import type { RequestOptions } from 'node:https';

import { KubeConfig } from '@kubernetes/client-node';

import { messageOf } from '../../api/errors.ts';
import { KubeConfigError } from './errors.ts';

export interface KubeConfigSource {
  /** Default: the files of `KUBECONFIG`, else `~/.kube/config`, else the service account of the pod. */
  readonly file?: string;
  /** Default: the current one. */
  readonly context?: string;
}

/** Who to talk to and how to prove who asks. */
export interface Connection {
  /** URL of the API server, without a slash at its end. */
  readonly server: string;
  /** Of the context, or of the pod. */
  readonly namespace: string;
  /**
   * TLS options and headers of the next request. Token files and exec plugins are read anew when they are due.
   * `agent` is set only where the kubeconfig names a proxy.
   */
  authorize(): Promise<RequestOptions & { readonly agent?: Agent }>;
}

/** @throws KubeConfigError if there is none, or it can't be used */
export function loadConnection({ file, context }: KubeConfigSource = {}): Connection {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (thrown) {
    throw new KubeConfigError(`the kubeconfig can't be read: ${messageOf(thrown)}`, { cause: thrown });
  }
  // What client-node falls back to is a port that nobody should listen on.
  if (config.getCurrentContext() === 'loaded-context') {
    throw new KubeConfigError('there is no kubeconfig: set KUBECONFIG, or write ~/.kube/config');
  }
  if (context !== undefined) config.setCurrentContext(context);
  return connectionOf(config);
}

/** @throws KubeConfigError if the current context names no API server */
export function connectionOf(config: KubeConfig): Connection {
  const context = config.getContextObject(config.getCurrentContext());
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const names = config.getContexts().map(({ name }) => name);
    throw new KubeConfigError(
      context === null
        ? `the kubeconfig has no context '${config.getCurrentContext()}': choose one of ${names.join(', ') || 'none'}`
        : `the kubeconfig has no cluster '${context.cluster}', which its context '${context.name}' names`,
    );
  }
  return {
    server: cluster.server.replace(/\/+$/, ''),
    namespace: context?.namespace ?? 'default',
    async authorize() {
      const options: RequestOptions = { headers: {} };
      try {
        await config.applyToHTTPSOptions(options);
      } catch (thrown) {
        throw new KubeConfigError(`no credentials for ${cluster.server}: ${messageOf(thrown)}`, { cause: thrown });
      }
      // Its agent is a new one for each request, so it keeps no connection: good for a proxy only.
      const { agent, ...rest } = options;
      return cluster.proxyUrl === undefined ? rest : { ...rest, agent: agent as Agent };
    },
  };
}
