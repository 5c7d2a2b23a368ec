import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePorts } from '../../../trainer/launch/ports.ts';
import { GuardedProcess } from './guarded-process.ts';
import { apiServerFlags, auditFile, controllerManagerFlags, etcdFlags, schedulerFlags, type Places } from './flags.ts';
import { type FakePods, kwokFlags } from './kwok.ts';
import { kubeconfigOf, type User, writeServiceAccountKeys, writeTokens } from './pki.ts';
import { isReady } from './ready.ts';

export interface ControlPlaneOptions {
  /** Where etcd, kube-apiserver and the others are. */
  readonly programs: string;
  /** An empty folder, for what they keep. */
  readonly folder: string;
  /** Beside `admin`, who may do everything. */
  readonly users?: readonly User[];
  /** User whose requests `audit` tells. */
  readonly audited?: string;
  /** Run the controllers of Jobs, garbage, namespaces and so on. Default: no. */
  readonly controllers?: boolean;
  /** Default: no. */
  readonly scheduler?: boolean;
  /** KWOK runs the pods of fake nodes. Default: nobody does. */
  readonly kwok?: { readonly program: string; readonly pods: FakePods };
}

/** As much of an audit event as is read here. */
export interface AuditedRequest {
  readonly verb: string;
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly responseStatus?: { readonly code: number };
  readonly requestReceivedTimestamp: string;
}

const admin: User = { name: 'admin', groups: ['system:masters'] };

/**
 * A real Kubernetes API server with its etcd on loopback, and at will the controllers and the scheduler, without any
 * node: Jobs get pods, and pods stay pending unless a scheduler and a kubelet (a fake one, such as KWOK) take them.
 */
export class ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #places: Places;
  readonly #tokens: ReadonlyMap<string, string>;
  #etcd: GuardedProcess | undefined;
  #apiServer: GuardedProcess | undefined;
  #kwok: GuardedProcess | undefined;
  readonly #others: GuardedProcess[] = [];

  private constructor(options: ControlPlaneOptions, places: Places, tokens: ReadonlyMap<string, string>) {
    this.#options = options;
    this.#places = places;
    this.#tokens = tokens;
  }

  /** @throws Error with the last words of a program that doesn't come up */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { folder, users = [] } = options;
    for (const name of ['pki', 'logs']) mkdirSync(join(folder, name), { recursive: true });
    const [etcd, etcdPeers, apiServer, controllers, scheduler, kwok] = await freePorts(6);
    const places: Places = {
      folder,
      etcd: etcd!,
      etcdPeers: etcdPeers!,
      apiServer: apiServer!,
      controllers: controllers!,
      scheduler: scheduler!,
      kwok: kwok!,
    };
    writeServiceAccountKeys(join(folder, 'pki'));
    const plane = new ControlPlane(options, places, writeTokens(join(folder, 'pki'), [admin, ...users]));
    try {
      await plane.#startAll();
    } catch (thrown) {
      await plane.stop();
      throw thrown;
    }
    return plane;
  }

  /** The folder of etcd, kube-apiserver, kubectl and the others. */
  get programs(): string {
    return this.#options.programs;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#places.apiServer}`;
  }

  /** The certificate to trust, PEM. */
  get caFile(): string {
    return join(this.#places.folder, 'pki/apiserver.crt');
  }

  /** The file of a kubeconfig for one of the users. */
  kubeconfig(user = admin.name, namespace?: string): string {
    const file = join(
      this.#places.folder,
      `${user.replaceAll(':', '-')}${namespace === undefined ? '' : `.${namespace}`}.kubeconfig`,
    );
    // Another program may be reading it.
    if (existsSync(file)) return file;
    const token = this.#tokens.get(user);
    if (token === undefined) throw new RangeError(`the control plane has no user ${user}`);
    writeFileSync(file, kubeconfigOf(this.url, this.caFile, token, namespace), { mode: 0o600 });
    return file;
  }

  /** All requests of the audited user so far. */
  audit(): AuditedRequest[] {
    const lines = readFileSync(auditFile(this.#places.folder), 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as AuditedRequest);
  }

  /** Kills the API server, as a power cut would; etcd keeps what it has written. */
  async stopApiServer(): Promise<void> {
    await this.#apiServer?.kill();
    this.#apiServer = undefined;
  }

  /** Starts the API server, on the same port. Resolves when it is ready. */
  async startApiServer(): Promise<void> {
    const apiServer = this.#spawn('kube-apiserver', apiServerFlags(this.#places, this.#options.audited));
    this.#apiServer = apiServer;
    for (let tries = 0; !(await isReady(this.url, this.caFile, this.#tokens.get(admin.name)!)); tries++) {
      if (apiServer.hasEnded || tries === 1200) {
        throw new Error(`kube-apiserver doesn't come up. Its last words:\n${apiServer.lastWords}`);
      }
      await setTimeout(50);
    }
  }

  /** From now on another thing becomes of the pods of fake nodes, also of those that there are. */
  async changeFakePods(pods: FakePods): Promise<void> {
    await this.#kwok?.kill();
    this.#startKwok(this.#options.kwok!.program, pods);
  }

  async stop(): Promise<void> {
    await this.#kwok?.kill();
    this.#kwok = undefined;
    await Promise.all(this.#others.splice(0).map((other) => other.kill()));
    await this.stopApiServer();
    await this.#etcd?.kill();
    this.#etcd = undefined;
  }

  async #startAll(): Promise<void> {
    this.#etcd = this.#spawn('etcd', etcdFlags(this.#places));
    await this.startApiServer();
    const kubeconfig = this.kubeconfig();
    const { controllers = false, scheduler = false, kwok } = this.#options;
    if (controllers) {
      this.#others.push(this.#spawn('kube-controller-manager', controllerManagerFlags(this.#places, kubeconfig)));
    }
    if (scheduler) this.#others.push(this.#spawn('kube-scheduler', schedulerFlags(this.#places, kubeconfig)));
    if (kwok !== undefined) this.#startKwok(kwok.program, kwok.pods);
  }

  #startKwok(program: string, pods: FakePods): void {
    this.#kwok = this.#spawn(program, kwokFlags(this.#places.folder, this.kubeconfig(), this.#places.kwok, pods));
  }

  #spawn(program: string, flags: readonly string[]): GuardedProcess {
    const log = join(this.#places.folder, 'logs', `${basename(program)}.log`);
    return new GuardedProcess([resolve(this.#options.programs, program), ...flags], log);
  }
}
