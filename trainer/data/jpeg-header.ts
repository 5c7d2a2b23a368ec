/** What the markers of a JPEG say before its pixels. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colour, 4 CMYK. */
  readonly components: number;
  /** EXIF: 1 upright, 2 … 8 turned or mirrored. */
  readonly orientation: number;
}

const startOfScan = 0xda;
const exifMarker = 0xe1;
const orientationTag = 0x0112;

export function isJpeg(bytes: Buffer): boolean {
  return bytes.length > 3 && bytes[0] === 0xff && bytes[1] === 0xd8;
}

/** Reads the markers up to the first frame header; undefined if there is none. */
export function readJpegHeader(bytes: Buffer): JpegHeader | undefined {
  let orientation = 1;
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === startOfScan) return undefined;
    const length = bytes.readUInt16BE(at + 2);
    const segment = bytes.subarray(at + 4, at + 2 + length);
    if (marker === exifMarker) orientation = exifOrientation(segment) ?? orientation;
    if (isFrame(marker)) {
      if (segment.length < 6) return undefined;
      const [height, width] = [segment.readUInt16BE(1), segment.readUInt16BE(3)];
      return { width, height, components: segment[5] ?? 0, orientation };
    }
    at += 2 + length;
  }
  return undefined;
}

/** SOF0 … SOF15, without the tables that share their range (DHT, JPG, DAC). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** The orientation of the first image directory of an EXIF segment, if it has one that makes sense. */
function exifOrientation(segment: Buffer): number | undefined {
  if (segment.toString('latin1', 0, 6) !== 'Exif\0\0') return undefined;
  const tiff = segment.subarray(6);
  if (tiff.length < 8) return undefined;
  const little = tiff.toString('latin1', 0, 2) === 'II';
  const short = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (directory + 2 > tiff.length) return undefined;
  for (let i = 0; i < short(directory); i++) {
    const entry = directory + 2 + i * 12;
    if (entry + 12 > tiff.length) return undefined;
    if (short(entry) === orientationTag) {
      const value = short(entry + 8);
      return value >= 1 && value <= 8 ? value : undefined;
    }
  }
  return undefined;
}
