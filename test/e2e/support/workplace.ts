import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Progress, WorkerStage } from '../../../api/worker.ts';
import { kubernetes } from '../../../scripts/tools/kubernetes.ts';
import { credentials, S3Server } from '../../storage/s3-server.ts';
import { writeDigits } from './digits.ts';
import { Kube, type KubeObject } from './kube.ts';
import { Relay } from './relay.ts';

/** Port of the tests' S3 server, at the machine's address as pods see it. */
const s3Port = 7070;

/** What all end-to-end tests stand on: the cluster, an S3 server outside it with real images, a namespace. */
export class Workplace {
  readonly kube: Kube;
  readonly s3: S3Server;
  readonly relay: Relay;
  readonly namespace: string;
  readonly #folder: string;

  private constructor(kube: Kube, s3: S3Server, relay: Relay, namespace: string, folder: string) {
    this.kube = kube;
    this.s3 = s3;
    this.relay = relay;
    this.namespace = namespace;
    this.#folder = folder;
  }

  /** @param namespace is made, with Pod Security at its strictest */
  static async open(namespace: string): Promise<Workplace> {
    const folder = await mkdtemp(join(tmpdir(), 'simsiam-e2e-'));
    const { server: s3, skip } = await S3Server.start(folder);
    if (s3 === undefined) throw new Error(skip);
    const kube = await Kube.connect(join(await kubernetes(), 'kubectl'));
    const relay = await Relay.start(process.env.SIMSIAM_E2E_MACHINE ?? '', s3Port, s3.port);
    const workplace = new Workplace(kube, s3, relay, namespace, folder);
    await kube.apply(namespaceOf(namespace));
    await kube.apply(workplace.secret('s3', credentials));
    await writeDigits(workplace.digits);
    return workplace;
  }

  async close(): Promise<void> {
    try {
      await this.kube.delete(`/api/v1/namespaces/${this.namespace}`);
    } finally {
      // Also without an API server: whatever stays open keeps this process.
      this.kube.close();
      await this.relay.down();
      await this.s3.kill();
      await rm(this.#folder, { recursive: true, force: true });
    }
  }

  secret(name: string, stringData: Readonly<Record<string, string>>): KubeObject {
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: this.namespace }, stringData };
  }

  /** Folder of the images, which are objects of the store, on this machine. */
  get digits(): string {
    return join(this.s3.bucketFolder, 'digits');
  }

  /** A path below this namespace, such as `pods`. */
  path(rest: string, group = 'api/v1'): string {
    return `/${group}/namespaces/${this.namespace}/${rest}`;
  }

  /** An object of the store as text. */
  async object(key: string): Promise<string> {
    return readFile(join(this.s3.bucketFolder, key), 'utf8');
  }

  /** The live pods of a run's stage, by their worker's number. */
  async workers(run: string, stage: WorkerStage = 'pretrain'): Promise<ReadonlyMap<number, KubeObject>> {
    const pods = await this.kube.list(this.path('pods'), `simsiam.dev/run=${run},simsiam.dev/stage=${stage}`);
    const live = pods.filter(({ status, metadata }) => status.phase === 'Running' && !metadata.deletionTimestamp);
    const index = (pod: KubeObject) => Number(pod['metadata'].annotations['batch.kubernetes.io/job-completion-index']);
    return new Map(live.map((pod) => [index(pod), pod]));
  }

  /** What worker 0 tells, asked directly; undefined while it can't be reached. */
  async progress(run: string, stage: WorkerStage = 'pretrain'): Promise<Progress | undefined> {
    const pod = (await this.workers(run, stage)).get(0);
    return pod && this.progressOf(pod);
  }

  async progressOf(pod: KubeObject): Promise<Progress | undefined> {
    const text = await this.kube.text(this.path(`pods/${pod['metadata'].name}:8080/proxy/progress`));
    return text === undefined ? undefined : (JSON.parse(text) as Progress);
  }
}

function namespaceOf(name: string): KubeObject {
  const labels = {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}
