/** The machines of a test cluster, for faults that come from outside the pods. */
export interface Machines {
  /** Runs a command on a node, as by ssh. @returns what it prints */
  run(node: string, ...command: readonly string[]): Promise<string>;
  /** The node vanishes with all that runs on it, as in a power cut; its disk stays. */
  cutPower(node: string): Promise<void>;
  powerOn(node: string): Promise<void>;
  /** Kills the API server. It starts again, by itself or by what this does; returns before it serves. */
  restartApiServer(): Promise<void>;
}
