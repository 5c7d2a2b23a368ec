import type { KubeWriter } from './client.ts';

/** What goes on around a change: it is given what the change is of, and begins it. */
export type Around = <T>(verb: string, kind: string, begin: () => Promise<T>) => Promise<T>;

/** The same writer, with something around each of its changes. */
export function aroundWriter(writer: KubeWriter, around: Around): KubeWriter {
  return {
    create: (object) => around('create', object.kind, () => writer.create(object)),
    apply: (object) => around('apply', object.kind, () => writer.apply(object)),
    applyStatus: (object) => around('apply', object.kind, () => writer.applyStatus(object)),
    patch: (ref, patch, options) => around('patch', ref.kind, () => writer.patch(ref, patch, options)),
    delete: (ref, options) => around('delete', ref.kind, () => writer.delete(ref, options)),
  };
}
