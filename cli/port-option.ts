import { InvalidArgumentError, Option } from 'commander';

/** An option that takes a TCP port; 0 is a free one. */
export function portOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    const port = Number(text);
    if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('a port is 0 to 65535.');
    return port;
  });
}
