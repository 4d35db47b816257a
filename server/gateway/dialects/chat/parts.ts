import { PRICED_PARTS } from './priced.ts';
import { CallRefused, isObject, isUnset, type Json, missing, Names, wrongType } from './refused.ts';

/** Mends the parts of a message. Returns the same array if nothing changes; throws `CallRefused`. */
export function mendParts(parts: readonly unknown[], param: string): Json[] {
  let mended: Json[] | null = null;
  for (let i = 0; i < parts.length; i++) {
    const part = mendPart(parts[i], `${param}[${i}]`);
    if (part !== parts[i]) mended ??= parts.slice(0, i) as Json[];
    mended?.push(part);
  }
  return mended ?? (parts as Json[]);
}

export function isPicture(part: unknown): boolean {
  return isObject(part) && part.type === 'image_url';
}

const FIELDS = new Names([
  ...['type', 'text', 'image_url', 'source', 'data', 'image', 'url', 'input_audio', 'audio_url', 'file', 'video_url'],
]);

/** Mends one part of a message. Returns the same object if it is right; throws `CallRefused`. */
export function mendPart(part: unknown, param: string): Json {
  if (!isObject(part)) throw wrongType(param, 'an object with a "type"');
  FIELDS.check(part, param);
  const { type } = part;
  if (isUnset(type)) throw missing(`${param}.type`);
  if (typeof type !== 'string') throw wrongType(`${param}.type`, 'a string');
  const kind = PRICED_PARTS.get(type);
  if (kind === 'picture') return mendPicture(part, param);
  if (kind === 'document') return mendDocument(part, param);
  if (kind === 'text') return mendText(part, param);
  const advice = kind?.advice ?? 'Send parts of the types "text" and "image_url".';
  throw new CallRefused('unsupported_value', `${param}.type`, `${param} has a type that is not supported. ${advice}`);
}

function mendText(part: Json, param: string): Json {
  const { type, text } = part;
  if (type !== 'text' && type !== 'input_text' && type !== 'output_text') return part;
  if (isUnset(text)) throw missing(`${param}.text`);
  if (typeof text !== 'string') throw wrongType(`${param}.text`, 'a string');
  return type === 'text' ? part : { ...part, type: 'text' };
}

/** A picture as `image_url`. Tools hand on pictures in the forms of the Responses API, Anthropic, MCP and the AI SDK. */
function mendPicture(part: Json, param: string): Json {
  const { type, image_url: image } = part;
  const found = isObject(image) ? image.url : (image ?? sourceOf(part));
  // The Responses API writes the address right into `image_url`.
  const at = type === 'input_image' && !isObject(image) ? `${param}.image_url` : `${param}.image_url.url`;
  if (isUnset(found)) throw missing(at, 'Send the address of the picture, or a data: URL.');
  if (typeof found !== 'string') {
    const expected = type === 'input_image' ? 'a string' : 'an object with the string "url"';
    throw wrongType(`${param}.image_url`, expected);
  }
  checkPicture(found, param, at);
  const detail = (isObject(image) ? image.detail : undefined) ?? part.detail;
  const isRight = type === 'image_url' && isObject(image);
  if (isRight && detail !== 'original') return part;
  const given = isObject(image) ? image : { url: found };
  // "original" is known to the Responses API alone; "high" is the most that chat completions have.
  const mended = isUnset(detail) ? given : { ...given, detail: detail === 'original' ? 'high' : detail };
  if (type === 'image_url') return { ...part, image_url: mended };
  return { type: 'image_url', image_url: mended };
}

/** Refuses the address of what is no picture. `param` is the path of the part, `field` that of the address. */
export function checkPicture(url: string, param: string, field: string): void {
  if (url === '') throw new CallRefused('invalid_value', field, `${param} has an empty url.`);
  // Some services read a whole document from it, and bill its pages.
  if (/^\s*data:/i.test(url) && !/^data:image\//i.test(url))
    throw new CallRefused('unsupported_value', field, `${param} is not a picture. Send a data: URL of an image.`);
  if (/^\s*(?!https?:|data:)[a-z][a-z\d+.-]*:/i.test(url) || DOCUMENT.test(url)) {
    const message = `${param} is not a picture's address. Send a data: URL of an image, or an http(s) address of one.`;
    throw new CallRefused('unsupported_value', field, message);
  }
}

/** Some services read these from an address, and bill their pages or seconds. */
const DOCUMENT =
  /^\s*https?:[^?#]*\.(pdf|docx?|pptx?|xlsx?|csv|txt|html?|mp[34g]|m4a|mov|avi|webm|mkv|wav|flac|ogg)\s*($|[?#])/i;

function sourceOf({ source, data, image, mimeType, mediaType }: Json): unknown {
  if (isObject(source)) {
    if (!isUnset(source.url)) return source.url;
    return dataUrl(source.data, source.media_type);
  }
  return typeof image === 'string' && /^(https?|data):/i.test(image)
    ? image
    : dataUrl(data ?? image, mimeType ?? mediaType);
}

function dataUrl(data: unknown, type: unknown): unknown {
  if (typeof data !== 'string') return data;
  return `data:${typeof type === 'string' ? type : 'image/png'};base64,${data}`;
}

function mendDocument({ source }: Json, param: string): Json {
  if (isObject(source) && source.type === 'text' && typeof source.data === 'string')
    return { type: 'text', text: source.data };
  const message = `${param} is a document that is not text. Send its text, or pictures of its pages.`;
  throw new CallRefused('unsupported_value', `${param}.source`, message);
}
