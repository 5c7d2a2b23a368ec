import type { WorkerStage } from '../../api/worker.ts';
import type { ObjectReader } from '../../storage/object-store.ts';
import { gpuMemory } from '../launch/gpu-memory.ts';
import { TelemetryServer } from '../telemetry/http-server.ts';
import { advanceReport, initialReport, type ReportState } from '../telemetry/progress-report.ts';
import type { RunEvent } from '../telemetry/run-event.ts';
import { storedFigures } from './stored-figures.ts';

/** A launcher's report, kept from its events and served over HTTP. */
export class RunMetrics {
  #report: ReportState;
  #server: TelemetryServer | undefined;

  private constructor(stage: WorkerStage) {
    this.#report = initialReport(stage, new Date());
  }

  /**
   * @param port 0 for a free one
   * @param host all interfaces if undefined
   * @param stage that the report names at first
   * @param store whose figures are handed out too
   * @throws MetricsPortError
   */
  static async serve(
    port: number,
    host?: string,
    stage: WorkerStage = 'pretrain',
    store?: ObjectReader,
  ): Promise<RunMetrics> {
    const metrics = new RunMetrics(stage);
    metrics.#server = await TelemetryServer.listen({
      ...{ host, port, gpuMemory, report: () => metrics.report },
      ...(store && { stored: async (key) => storedFigures(store, key) }),
    });
    return metrics;
  }

  get report(): ReportState {
    return this.#report;
  }

  get port(): number {
    return this.#server!.port;
  }

  onEvent(event: RunEvent): void {
    this.#report = advanceReport(this.#report, event, new Date());
  }

  /** A rank has shown a sign of life. */
  onMessage(): void {
    const progress = { ...this.#report.progress, updatedAt: new Date().toISOString() };
    this.#report = { ...this.#report, progress };
  }

  close(): void {
    this.#server?.close();
  }
}
