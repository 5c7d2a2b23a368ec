import { z } from 'zod';

/** What the reference and `kubectl explain` say of a field besides its type, range and default. */
export interface FieldNotes {
  /** What it does, as one or two sentences. */
  readonly description: string;
  /** The unit of a number: `images`, `seconds`, `fraction`. */
  readonly unit?: string;
  /** Where the default comes from: a section of the paper, a flag of the original, or `simsiam-operator`. */
  readonly source: string;
}

/** The origin of every field that the paper and the original don't have. */
export const ownField = 'simsiam-operator';

/** Attaches `notes` to a field. Apply it last, after `.default()`: zod keeps notes on the outermost wrapper. */
export function field<T extends z.ZodType>(schema: T, notes: FieldNotes): T {
  return schema.meta({ ...notes });
}

/** A whole number of [least, most]. */
export function wholeNumber(least: number, most: number): z.ZodNumber {
  return z.int().min(least).max(most);
}

/** A number of [least, most]. */
export function numberIn(least: number, most: number): z.ZodNumber {
  return z.number().min(least).max(most);
}

/** A number of (0, most]. */
export function positiveUpTo(most: number): z.ZodNumber {
  return z.number().gt(0).max(most);
}

/** A list of one number for each channel: red, green, blue. */
export function perChannel(channel: z.ZodNumber): z.ZodTuple<[z.ZodNumber, z.ZodNumber, z.ZodNumber], null> {
  return z.tuple([channel, channel, channel]);
}

/** A map whose keys and values are strings, such as labels. */
export const stringMap = z.record(z.string(), z.string().max(262_144));
