import { AppError } from '../platform/errors.ts';

/** A page says within these bytes how it is encoded (HTML standard, 13.2.3.2). */
const HEAD = 1024;

/** `application/` types that are text. */
const TEXTS = /^application\/(?:[\w.-]+\+)?(?:json|xml|yaml|x-yaml|toml|javascript|x-sh|sql|x-ndjson)$/;

export interface DecodedPage {
  text: string;
  isHtml: boolean;
}

/**
 * The text of a body, by its own mark, by `contentType`, or by what an HTML page says of itself; else it is UTF-8. Throws
 * `page_not_text` for what is no text by its type or by its bytes.
 */
export function decodePage(bytes: Uint8Array, contentType: string | undefined): DecodedPage {
  const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim());
  const essence = type.toLowerCase();
  const isMarkup = essence === 'text/html' || essence === 'application/xhtml+xml';
  if (essence !== '' && !isMarkup && !essence.startsWith('text/') && !TEXTS.test(essence)) throw notText(essence);
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, HEAD));
  const isHtml = isMarkup || (essence === '' && /^\s*<(?:!doctype html|html|head|body)\b/i.test(head));
  const named = parameters.map((one) => /^charset="?([\w.:-]+)"?$/i.exec(one)?.[1]).find(Boolean);
  const label = markOf(bytes) ?? named ?? charsetIn(head, isHtml) ?? 'utf-8';
  const decoder = decoderOf(label);
  const decoded = decoder.decode(bytes);
  const text = decoder.encoding === 'windows-1252' ? decoded.replace(/[\u0080-\u009f]/g, signOf) : decoded;
  if (isBinary(text)) throw notText('binary');
  return { text, isHtml };
}

/** The encoding that a byte order mark tells. */
function markOf(bytes: Uint8Array): string | undefined {
  const [first, second, third] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  return first === 0xef && second === 0xbb && third === 0xbf ? 'utf-8' : undefined;
}

function charsetIn(head: string, isHtml: boolean): string | undefined {
  const place = isHtml
    ? /<meta\s[^>]{0,300}?charset\s?=\s?["']?\s?([\w.:-]+)/i
    : /^<\?xml\s[^>]{0,200}?encoding="([\w.:-]+)"/i;
  const label = place.exec(head)?.[1];
  // It was readable as ASCII, so it is not that.
  return label && /^utf-?16/i.test(label) ? 'utf-8' : label;
}

/** The second half of windows-1252, which Node 20 reads as ISO 8859-1. */
const SIGNS = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';
const signOf = (control: string) => SIGNS[control.charCodeAt(0) - 0x80]!;

function decoderOf(label: string): TextDecoder {
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder();
  }
}

/** Whether more than one character in ten is none that a text has. */
function isBinary(text: string): boolean {
  if (text.startsWith('%PDF-') || text.includes('\0')) return true;
  const odd = text.match(/[^\P{Cc}\s]|\ufffd/gu)?.length ?? 0;
  return odd * 10 > text.length;
}

const notText = (what: string) =>
  new AppError('page_not_text', `It is no text that can be read (${what.slice(0, 80)}). Name a page with text.`);
