import type { IncomingMessage } from 'node:http';
import { withoutInvisible } from '../../shared/answers/invisible.ts';
import type { FetchedPage } from '../../shared/fetch.ts';
import { storable } from '../../shared/texts.ts';
import { type Clock, iso } from '../platform/clock.ts';
import { AppError } from '../platform/errors.ts';
import { readBody } from './body.ts';
import { decodePage } from './decoding.ts';
import { exchange } from './exchange.ts';
import type { Network } from './network.ts';
import { judgeUrl } from './target.ts';

const MAX_REDIRECTS = 3;
const REDIRECTS = [301, 302, 303, 307, 308];
/** From the request to the last byte of the page, redirects included. */
export const LIMIT_MS = 10_000;

/** Does what the signal ends after so long. Throws `page_too_slow`, or the refusal of what was done. */
export async function inTime<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), limitMs);
  try {
    return await work(over.signal);
  } catch (error) {
    if (!over.signal.aborted || error instanceof AppError) throw error;
    throw new AppError('page_too_slow', `It was not read within ${limitMs / 1000} seconds. Try again later.`);
  } finally {
    clearTimeout(timer);
    // Closes what is still open, such as a body that was too large.
    over.abort();
  }
}

/**
 * Reads a page of the public internet as text. Each redirect is judged as the first address was. Throws a refusal that
 * names what was wrong.
 */
export async function readPage(
  url: URL,
  { network, clock }: { network: Network; clock: Clock },
  signal: AbortSignal,
): Promise<FetchedPage> {
  try {
    const { response, at } = await follow(url, network, signal);
    const decoded = decodePage(await readBody(response, signal), response.headers['content-type']);
    const page: { title?: string; text: string } = decoded.isHtml
      ? // Loaded at the first use: most servers never read a page.
        await (await import('./html.ts')).htmlText(decoded.text)
      : decoded;
    // Nobody sees them, and a model reads them.
    const text = withoutInvisible(page.text).trim();
    if (text === '')
      throw new AppError('page_not_text', 'It has no text, or only its scripts write it. Paste the text instead.');
    const titled = page.title ? { title: page.title } : {};
    return { url: at.href, ...titled, text: storable(text), readAt: iso(clock.now()) };
  } catch (error) {
    throw error instanceof AppError || signal.aborted ? error : failure(error);
  }
}

async function follow(
  url: URL,
  network: Network,
  signal: AbortSignal,
): Promise<{ response: IncomingMessage; at: URL }> {
  let at = url;
  let base: URL | undefined;
  for (let redirects = 0; ; redirects++) {
    const response = await exchange(at, network, signal, base);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return { response, at };
    response.destroy();
    if (!REDIRECTS.includes(statusCode) || !headers.location?.trim())
      throw new AppError('page_failed', `Its server answers with the status ${statusCode}${toldBy(statusCode)}.`);
    if (redirects === MAX_REDIRECTS)
      throw new AppError('page_failed', `It redirects more than ${MAX_REDIRECTS} times. Name the last address.`);
    base = at;
    at = judgeUrl(unicode(headers.location), base);
  }
}

/** Node reads headers as Latin-1, and many servers write UTF-8. */
function unicode(header: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    return header;
  }
}

function toldBy(status: number): string {
  if (status === 404 || status === 410) return ': there is no such page';
  if (status === 401 || status === 403) return ': it does not let this server read it';
  return status === 429 || status >= 500 ? ': try again later' : '';
}

/** A failure of the network, or of what the other server sent. Anything else is a mistake of ours. */
function failure(error: unknown): unknown {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'string') return error;
  if (/^(?:Z_|ERR__)|BROTLI/.test(code))
    return new AppError('page_not_text', 'What its server sent is compressed, and damaged.');
  if (/CERT|ERR_TLS|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code))
    return new AppError('page_unreachable', 'The certificate of its server is not valid.');
  return new AppError('page_unreachable', 'Its server did not answer, or broke off. Try again later.');
}
