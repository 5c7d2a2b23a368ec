import { InvalidArgumentError, Option } from 'commander';

/** An option that takes a whole number from `least` on. */
export function countOption(flags: string, description: string, least = 1): Option {
  return new Option(flags, description).argParser((text) => {
    const value = Number(text);
    if (!/^\d{1,9}$/.test(text) || value < least) throw new InvalidArgumentError(`a whole number from ${least} on.`);
    return value;
  });
}

/** An option that takes a number of (0, most], or of [0, most] where 0 has a meaning. */
export function numberOption(flags: string, description: string, most: number, zero = false): Option {
  return new Option(flags, description).argParser((text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value <= most) || !(zero ? value >= 0 : value > 0)) {
      throw new InvalidArgumentError(zero ? `a number from 0 to ${most}.` : `a number above 0, at most ${most}.`);
    }
    return value;
  });
}
