import { bytesField, doubleField, floatField, stringField, varintField } from '../../protobuf.ts';
import { tfRecord } from './tf-record.ts';

/** Numbers of the fields in tensorflow/core/util/event.proto and framework/summary.proto. */
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
const summary = { value: 1 } as const;
const value = { tag: 1, simpleValue: 2, metadata: 9 } as const;
const metadata = { pluginData: 1 } as const;
const pluginData = { pluginName: 1 } as const;

/** Tells TensorBoard that the numbers are curves. */
const scalars = bytesField(
  value.metadata,
  bytesField(metadata.pluginData, stringField(pluginData.pluginName, 'scalars')),
);

/** What an event file begins with. `wallTime`: seconds since 1970. */
export function versionRecord(wallTime: number): Buffer {
  return tfRecord(
    Buffer.concat([doubleField(event.wallTime, wallTime), stringField(event.fileVersion, 'brain.Event:2')]),
  );
}

/** The figures of a step, by name, as a record of an event file. */
export function scalarsRecord(wallTime: number, step: number, figures: Readonly<Record<string, number>>): Buffer {
  const values = Object.entries(figures).map(([name, figure]) =>
    bytesField(
      summary.value,
      Buffer.concat([stringField(value.tag, name), floatField(value.simpleValue, figure), scalars]),
    ),
  );
  return tfRecord(
    Buffer.concat([
      doubleField(event.wallTime, wallTime),
      varintField(event.step, step),
      bytesField(event.summary, Buffer.concat(values)),
    ]),
  );
}
