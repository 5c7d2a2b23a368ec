import { coredns, kubernetes } from '../tools/kubernetes.ts';
import { type Programs, startApiServer } from './control-plane.ts';
import { node } from './layout.ts';
import type { Machines } from './machines.ts';
import { killNode, onNode, startNode } from './nodes.ts';
import { endProcess } from './system.ts';

const programs = async (): Promise<Programs> => ({ kubernetes: await kubernetes(), coredns: await coredns() });
const named = (name: string) => node(Number(name.slice('node'.length)));

/** Nodes of namespaces on this machine, and its control plane, of processes. */
export const bareMachines: Machines = {
  run: (name, ...command) => onNode(named(name), ...command),
  cutPower: (name) => killNode(named(name)),
  powerOn: async (name) => startNode(named(name), await programs()),
  restartApiServer: async () => {
    await endProcess('kube-apiserver');
    await startApiServer(await programs());
  },
};
