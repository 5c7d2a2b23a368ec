import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from '../../../scripts/setup/process.ts';

/** An object of the API server, as far as tests look at it. */
// oxlint-disable-next-line typescript/no-explicit-any -- any kind of object; the asserts say what is wanted of it
export type KubeObject = Record<string, any>;

/** The API server, by way of `kubectl proxy`: HTTP without credentials on a loopback port. Independent of our client. */
export class Kube {
  /** Loopback port of the proxy. */
  readonly port: number;
  readonly #kubectl: string;
  readonly #proxy: ChildProcess;

  private constructor(kubectl: string, proxy: ChildProcess, port: number) {
    this.#kubectl = kubectl;
    this.#proxy = proxy;
    this.port = port;
  }

  /** @param kubectl its path; the cluster is that of KUBECONFIG */
  static async connect(kubectl: string): Promise<Kube> {
    // Pods may be reached through it, and commands run in them: it listens on loopback, for a test cluster.
    const proxy = spawn(kubectl, ['proxy', '--port=0', '--disable-filter=true'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(proxy.stdout, 'data')) as [Buffer];
    const port = /:(\d+)/.exec(String(line))?.[1];
    if (port === undefined) throw new Error(`kubectl proxy says: ${String(line)}`);
    return new Kube(kubectl, proxy, Number(port));
  }

  close(): void {
    this.#proxy.kill('SIGKILL');
  }

  /** @returns the object, or undefined where there is none */
  async find(path: string): Promise<KubeObject | undefined> {
    const answer = await this.#send('GET', path);
    if (answer.status === 404) return undefined;
    return this.#objectOf(answer, `GET ${path}`);
  }

  async get(path: string): Promise<KubeObject> {
    return this.#objectOf(await this.#send('GET', path), `GET ${path}`);
  }

  async list(path: string, labels = ''): Promise<readonly KubeObject[]> {
    const query = labels === '' ? '' : `?labelSelector=${encodeURIComponent(labels)}`;
    return (await this.get(`${path}${query}`))['items'] as KubeObject[];
  }

  async post(path: string, body: KubeObject): Promise<KubeObject> {
    return this.#objectOf(await this.#send('POST', path, body), `POST ${path}`);
  }

  async patch(path: string, body: KubeObject): Promise<KubeObject> {
    return this.#objectOf(await this.#send('PATCH', path, body, 'application/merge-patch+json'), `PATCH ${path}`);
  }

  async delete(path: string, options: KubeObject = {}): Promise<void> {
    const answer = await this.#send('DELETE', path, options);
    if (answer.status !== 404) await this.#objectOf(answer, `DELETE ${path}`);
  }

  /** Text of a path, such as a pod's own HTTP; undefined while nothing answers there. */
  async text(path: string): Promise<string | undefined> {
    const answer = await this.#send('GET', path).catch(() => undefined);
    return answer?.ok === true ? answer.text() : undefined;
  }

  /** Runs kubectl as people do; `input` is what `-f -` reads. */
  async kubectl(args: readonly string[], input?: KubeObject): Promise<string> {
    if (input === undefined) {
      const done = await runProgram(this.#kubectl, args);
      if (done?.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${done?.stderr ?? 'is missing'}`);
      return done.stdout;
    }
    const child = spawn(this.#kubectl, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.stdin.end(JSON.stringify(input));
    const [code] = (await once(child, 'close')) as [number];
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${output}`);
    return output;
  }

  /** What kubectl prints, with the server's warnings. */
  async everyWord(args: readonly string[]): Promise<string> {
    const done = await runProgram(this.#kubectl, args);
    if (done?.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${done?.stderr ?? 'is missing'}`);
    return `${done.stdout}${done.stderr}`;
  }

  async apply(object: KubeObject): Promise<void> {
    await this.kubectl(['apply', '--filename=-'], object);
  }

  async #send(method: string, path: string, body?: KubeObject, type = 'application/json'): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': type } }),
      signal: AbortSignal.timeout(20_000),
    });
  }

  async #objectOf(answer: Response, what: string): Promise<KubeObject> {
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${what}: ${answer.status} ${text}`);
    return JSON.parse(text) as KubeObject;
  }
}

/**
 * Looks until `probe` finds something. What it throws meanwhile, such as a refused connection, counts as nothing found.
 * @throws Error when the time is over, with the last thing thrown
 */
export async function eventually<T>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<T | undefined | false>,
  everyMs = 200,
): Promise<T> {
  let thrown: unknown;
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(everyMs)) {
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      thrown = error;
    }
  }
  throw new Error(`${what}: not within ${timeoutMs / 1000} s`, { cause: thrown });
}
