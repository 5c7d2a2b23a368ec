import turbo from '@julusian/jpeg-turbo';

import type sharpModule from 'sharp';

import { messageOf } from '../../api/errors.ts';
import { isJpeg, readJpegHeader } from './jpeg-header.ts';

type Sharp = typeof sharpModule;

/** An image as interleaved 8-bit RGB. */
export interface DecodedImage {
  /** Valid until the decoder's next call. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Decoding took long for the image's size, so keeping the pixels pays. */
  readonly slow: boolean;
}

/** This image can't be decoded; others may well be. Never leaves the loader. */
export class BadImageError extends Error {
  override readonly name = 'BadImageError';
}

/** Pillow's limit against decompression bombs. */
const mostPixels = 89_478_485;

/** JPEG's own limit, put on all: a thread of pixels can't be scaled to a square. */
const mostPixelsOfSide = 65_535;

/** Loaded at the first image that needs it: a set of plain JPEGs starts without it. */
async function loadSharp(): Promise<Sharp> {
  const { default: sharp } = await import('sharp');
  // One worker thread decodes one image at a time; libvips's own threads and caches would only compete with it.
  sharp.concurrency(1);
  sharp.cache(false);
  return sharp;
}

let loading: Promise<Sharp> | undefined;

/** Decodes JPEG, PNG and WebP of any depth and colour space to 8-bit sRGB. Not for concurrent calls. */
export class ImageDecoder {
  #buffer = Buffer.alloc(0);

  /** Alpha is dropped and EXIF's orientation applied. Throws {@link BadImageError}. */
  async decode(bytes: Buffer): Promise<DecodedImage> {
    return this.#decodeJpeg(bytes) ?? decodeAny(bytes);
  }

  /** The common JPEG, upright and grey or RGB; undefined for what sharp has to judge. */
  #decodeJpeg(bytes: Buffer): DecodedImage | undefined {
    const header = isJpeg(bytes) ? readJpegHeader(bytes) : undefined;
    if (header === undefined || header.orientation !== 1 || header.components > 3) return undefined;
    const { width, height } = header;
    if (width < 1 || height < 1 || width * height > mostPixels) return undefined;
    if (this.#buffer.length < width * height * 3) this.#buffer = Buffer.alloc(width * height * 3);
    try {
      const { data } = turbo.decompressSync(bytes, this.#buffer, { format: turbo.FORMAT_RGB });
      return { pixels: data, width, height, slow: false };
    } catch {
      // It reports harmless oddities as errors too: sharp tells them from truncation.
      return undefined;
    }
  }
}

async function decodeAny(bytes: Buffer): Promise<DecodedImage> {
  loading ??= loadSharp();
  const sharp = await loading;
  try {
    const { data, info } = await sharp(bytes, { failOn: 'truncated', limitInputPixels: mostPixels })
      .autoOrient()
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new BadImageError(`${info.channels} channels`);
    if (Math.max(info.width, info.height) > mostPixelsOfSide) {
      throw new BadImageError(`${info.width} × ${info.height} pixels`);
    }
    return { pixels: data, width: info.width, height: info.height, slow: true };
  } catch (error) {
    throw new BadImageError(messageOf(error).split('\n')[0] ?? '', { cause: error });
  }
}
