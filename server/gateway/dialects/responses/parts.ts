import { mendPart } from '../chat/parts.ts';
import { PRICED_PARTS } from '../chat/priced.ts';
import { CallRefused, isObject, isUnset, type Json, missing, wrongType } from '../chat/refused.ts';

/** The types of parts that can be carried. Others are refused by name. */
const TEXTS = new Set<unknown>(['input_text', 'output_text', 'text']);
const PICTURES = new Set<unknown>(['input_image', 'image_url', 'image']);

/**
 * The parts of a message or of a tool's output as parts of a chat message: texts and pictures. Files become texts.
 * `param` is the path of the list. Throws `CallRefused`.
 */
export function readParts(given: readonly unknown[], param: string): Json[] {
  return given.map((part, i) => readPart(part, `${param}[${i}]`));
}

function readPart(part: unknown, param: string): Json {
  if (!isObject(part)) throw wrongType(param, 'an object with a "type"');
  const { type } = part;
  if (isUnset(type)) throw missing(`${param}.type`);
  if (typeof type !== 'string') throw wrongType(`${param}.type`, 'a string');
  if (TEXTS.has(type)) return text(part.text, `${param}.text`);
  if (type === 'refusal') return text(part.refusal, `${param}.refusal`);
  if (type === 'input_file') return readFile(part, param);
  if (type === 'document') return mendPart(part, param);
  if (PICTURES.has(type)) return readPicture(part, param);
  const kind = PRICED_PARTS.get(type);
  const advice = isObject(kind) ? kind.advice : 'Send parts of the types "input_text", "input_image" and "input_file".';
  throw new CallRefused('unsupported_value', `${param}.type`, `${param} has a type that is not supported. ${advice}`);
}

function text(given: unknown, param: string): Json {
  if (isUnset(given)) throw missing(param);
  if (typeof given !== 'string') throw wrongType(param, 'a string');
  return { type: 'text', text: given };
}

function readPicture(part: Json, param: string): Json {
  const { detail, file_id: file } = part;
  if (!isUnset(detail) && typeof detail !== 'string') throw wrongType(`${param}.detail`, 'a string');
  if (isUnset(part.image_url) && !isUnset(file)) throw notStored(`${param}.file_id`);
  return mendPart(part, param);
}

const notStored = (param: string) =>
  new CallRefused('unsupported_value', param, `${param} names a stored file, and no files are stored. Send its data.`);

/** Media types whose bytes are text. */
const TEXT_TYPE = /^(text\/[\w.+-]+|application\/([\w.-]+\+)?(json|xml|yaml|x-yaml|toml|javascript|x-sh|sql))$/i;
const MOST_HEAD_UNITS = 200;

/** A file whose data is text becomes a text with its name; others are refused: chat completions read no documents. */
function readFile(part: Json, param: string): Json {
  const { file_data: data, file_id: id, file_url: url, filename } = part;
  if (!isUnset(filename) && typeof filename !== 'string') throw wrongType(`${param}.filename`, 'a string');
  if (isUnset(data)) {
    if (!isUnset(id)) throw notStored(`${param}.file_id`);
    if (isUnset(url)) throw missing(`${param}.file_data`, 'Send the file as a data: URL.');
    const message = `${param}.file_url is not supported: files are not fetched. Send the text of the file.`;
    throw new CallRefused('unsupported_value', `${param}.file_url`, message);
  }
  if (typeof data !== 'string') throw wrongType(`${param}.file_data`, 'a string');
  const said = textIn(data);
  if (said === undefined) {
    const message = `${param} is a file that is not text in UTF-8. Send its text as a data: URL of a text, or pictures of its pages.`;
    throw new CallRefused('unsupported_value', `${param}.file_data`, message);
  }
  return { type: 'text', text: filename ? `File ${filename}:\n${said}` : said };
}

/** The text in a data: URL; undefined if it is none, or not of a text. */
function textIn(url: string): string | undefined {
  const comma = url.indexOf(',');
  if (comma < 0 || comma > MOST_HEAD_UNITS || !/^data:/i.test(url)) return undefined;
  const [type = '', ...options] = url.slice('data:'.length, comma).split(';');
  if (!TEXT_TYPE.test(type)) return undefined;
  const body = url.slice(comma + 1);
  try {
    if (options.at(-1)?.toLowerCase() !== 'base64') return decodeURIComponent(body);
    // Node would read around what isn't base64.
    if (!/^[A-Za-z0-9+/=_\s-]*$/.test(body)) return undefined;
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(body, 'base64'));
  } catch {
    return undefined;
  }
}
