/** A fenced block of code. */
export interface CodeBlock {
  /** What stands after the fence: `sh`, `yaml`, or nothing. */
  readonly language: string;
  /** What stands after the language: `not-run` where no test runs or checks its commands. */
  readonly mark: string;
  readonly text: string;
}

/** What of a Markdown text can be checked. */
export interface MarkdownParts {
  readonly blocks: readonly CodeBlock[];
  /** Texts between single backticks, outside blocks. */
  readonly spans: readonly string[];
  /** Targets of links, as they are written. */
  readonly links: readonly string[];
  /** Anchors of its headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
}

/** Reads as much of Markdown as this repository's documents use. */
export function partsOf(markdown: string): MarkdownParts {
  const blocks: CodeBlock[] = [];
  const prose = markdown
    .replaceAll(
      /^```(\w*)(?: ([^\n]*))?\n(.*?)^```$/gms,
      (_whole, language: string, mark: string | undefined, text: string) => {
        blocks.push({ language, mark: mark ?? '', text });
        return '';
      },
    )
    .replaceAll(/<!--.*?-->/gs, '');
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  const withoutCode = prose.replaceAll(/`[^`\n]+`/g, 'code');
  return {
    blocks,
    spans,
    links: [...withoutCode.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target),
    anchors: new Set([...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))),
  };
}

/** The anchor that GitHub gives a heading: lower case, without punctuation, hyphens for spaces. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

/**
 * The arguments of each call of the command line in a document: `simsiam run -f run.yaml` and
 * `npm run -s simsiam -- run -f run.yaml` both give [run, -f, run.yaml].
 */
export function simsiamCalls({ blocks, spans }: MarkdownParts): string[][] {
  const lines = blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.split('\n'));
  return [...lines, ...spans].flatMap((line) => {
    const call = /^(?:npm run (?:-s )?simsiam --|simsiam) (.+)$/.exec(line.replace(/\s+#.*$/, '').trim());
    const words = (call?.[1] ?? '').replaceAll(/[[\]]/g, '').split(/\s+/);
    return call === null || words.includes('…') ? [] : [words];
  });
}

/** The npm scripts that a document tells people to run. */
export function npmScripts({ blocks, spans }: MarkdownParts): string[] {
  const text = [...blocks.filter(({ language }) => language === 'sh').map((block) => block.text), ...spans].join('\n');
  const named = [...text.matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(([, script = '']) => script);
  return /\bnpm test\b/.test(text) ? [...named, 'test'] : named;
}

/** The first word of each command in the blocks of a shell that aren't marked `not-run`. */
export function programsRun({ blocks }: MarkdownParts): string[] {
  const checked = blocks.filter(({ language, mark }) => language === 'sh' && mark !== 'not-run');
  return checked
    .flatMap(({ text }) => text.replaceAll(/\\\n/g, ' ').split('\n'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/^until /, '').split(/\s/)[0]!);
}
