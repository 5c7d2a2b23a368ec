import { type Alias, type Document, type Node, visit } from 'yaml';

/** Knows which alias could not be resolved: the parser's errors don't say where they are. */
export class AliasWatch {
  /** The one that is being resolved, or was when that failed. */
  failed: Alias | undefined;

  watch(document: Document.Parsed): void {
    visit(document, {
      Alias: (_key, alias) => {
        const resolve = alias.resolve.bind(alias);
        alias.resolve = (...place) => {
          const outer = this.failed;
          this.failed = alias;
          const target = resolve(...place);
          // The parser makes a ring of it, which no later reader expects.
          if (target !== undefined && isWithin(alias, target)) {
            throw new ReferenceError(`*${alias.source} stands within its own anchor`);
          }
          if (target !== undefined) this.failed = outer;
          return target;
        };
      },
    });
  }
}

function isWithin({ range: inner }: Node, { range: outer }: Node): boolean {
  return !!inner && !!outer && outer[0] <= inner[0] && inner[1] <= outer[1];
}
