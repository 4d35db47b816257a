import { waitOf } from '../../platform/values/numbers.ts';
import { readError, type ServiceError } from '../dialects/chatCompletions.ts';
import { UpstreamError } from '../stream.ts';
import { parseJson } from './jsonSplitter.ts';

/** The most of a service's answer that goes into the operator's log, in UTF-16 units. */
const LOGGED_LENGTH = 500;

/** A refusal over HTTP. Header names are in lower case; `redact` has removed the key from `body`. */
export interface HttpFailure {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
  /** Epoch milliseconds: a `retry-after` may be a date. */
  nowMs: number;
}

/**
 * Classifies a service's error response. Services use statuses inconsistently, so a known error code or message takes
 * precedence over the status.
 */
export function failureOf({ status, headers, body, nowMs }: HttpFailure): UpstreamError {
  const error = readError(parseJson(body)) ?? { message: body.slice(0, 2_000), code: '', type: '', param: '' };
  const options = {
    logDetail: `HTTP ${status}, ${described(error)}, ${body.length} characters`,
    retryAfterMs: retryAfterMs(headers, nowMs),
  };
  if (status >= 300 && status < 400) {
    const detail = `HTTP ${status} to ${excerpt(String(headers.location ?? 'nowhere'))}`;
    return refused('answers at another address, and its redirect is not followed', { logDetail: detail });
  }
  return namedFailure(error, options) ?? failureOfStatus(status, options);
}

/** Classifies an error that a service sent inside a stream with status 200. */
export function failureInStream(error: ServiceError): UpstreamError {
  const options = { logDetail: described(error) };
  const named = namedFailure(error, options);
  if (named) return named;
  if (/rate.?limit|overloaded|too many requests|^(429|503|529)$/i.test(`${error.code} ${error.type}`.trim())) {
    return busy(options);
  }
  return new UpstreamError('upstream_failed', 'The model service failed in the middle of the answer.', options);
}

type Options = UpstreamError['options'];

function failureOfStatus(status: number, options: Options): UpstreamError {
  switch (status) {
    case 401:
    case 403:
      return new UpstreamError(
        'upstream_refused',
        "The model service refused the server's key. Tell the operator of this server.",
        options,
      );
    case 402:
      return refused("says that the operator's account there has run out", options);
    case 404:
      return refused(NO_MODEL, { ...options, isModels: true });
    case 408:
    case 504:
      return new UpstreamError('upstream_timeout', 'The model service did not answer in time. Try again.', options);
    case 413:
      return tooLong(options);
    case 429:
    case 503:
    case 529:
      return busy(options);
  }
  if (status >= 500) return new UpstreamError('upstream_failed', 'The model service failed. Try again.', options);
  if (status >= 400) return refused('refused the request', { ...options, isRequests: true });
  return new UpstreamError('upstream_malformed', 'The model service sent something unreadable.', options);
}

/** Failures whose code or message says more than the status, which differs between services. */
function namedFailure(error: ServiceError, options: Options): UpstreamError | undefined {
  const name = `${error.code} ${error.type}`;
  if (/context_length|exceed_context_size|string_above_max_length/.test(name) || TOO_LONG.test(error.message)) {
    return tooLong(options);
  }
  // The status is 429, but waiting doesn't help: the balance is used up (OpenAI, Moonshot).
  if (/insufficient_quota|exceeded_current_quota|insufficient_balance|billing/.test(name)) {
    return refused("says that the operator's account there has run out", options);
  }
  if (/content_filter|content_policy|data_inspection_failed/.test(name)) {
    return new UpstreamError('upstream_refused', 'The model service refused to answer this because of its content.', {
      ...options,
      isRequests: true,
    });
  }
  if (/model_not_found/.test(name)) return refused(NO_MODEL, { ...options, isModels: true });
  return undefined;
}

const NO_MODEL = 'does not know this model. Try another one';

// The wording of OpenAI, vLLM, llama.cpp, Moonshot, Anthropic's compatible form, Groq and Mistral.
const TOO_LONG =
  /maximum context length|context (length|window|size)[^.]{0,40}(exceed|limit)|exceeds?[^.]{0,60}(context|model token limit)|prompt is too long|input (token )?(length )?(is )?too (long|large)|too many input tokens|reduce the length of the (messages|prompt)/i;

function tooLong(options: Options): UpstreamError {
  return new UpstreamError('context_too_long', 'This is more text than the model can read at once.', options);
}

function busy(options: Options): UpstreamError {
  const { retryAfterMs } = options;
  const wait = retryAfterMs === undefined ? 'a minute' : tellWait(retryAfterMs);
  return new UpstreamError('upstream_busy', `The model service is busy. Try again in ${wait}.`, options);
}

function tellWait(ms: number): string {
  if (ms <= 90_000) return `${Math.max(1, Math.ceil(ms / 1000))} s`;
  return ms <= 5_400_000 ? `${Math.ceil(ms / 60_000)} min` : `${Math.ceil(ms / 3_600_000)} h`;
}

function refused(what: string, options: Options): UpstreamError {
  const tell = /Try another/.test(what) ? '' : ' Tell the operator of this server.';
  return new UpstreamError('upstream_refused', `The model service ${what}.${tell}`, options);
}

/**
 * The wait that the service asks for, in milliseconds: from `retry-after-ms`, or from `retry-after` in seconds or as a
 * date. Undefined if there is none or it makes no sense. See `waitOf`.
 */
export function retryAfterMs(headers: HttpFailure['headers'], nowMs: number): number | undefined {
  const exact = String(headers['retry-after-ms'] ?? '').trim();
  if (NUMBER.test(exact)) return waitOf(Number(exact), nowMs);
  const value = String(headers['retry-after'] ?? '').trim();
  if (NUMBER.test(value)) return waitOf(Number(value) * 1000, nowMs);
  if (!DATE.test(value)) return undefined;
  return waitOf(Math.max(0, Date.parse(value) - nowMs), nowMs);
}

const NUMBER = /^\d+(\.\d+)?$/;
/** RFC 9110 or ISO 8601. `Date.parse` alone would accept many other strings. */
const DATE = /^([A-Za-z]{3,9}, \d|\d{4}-\d\d-\d\d)/;

/** Some services repeat the key in their error; it must never be logged. */
export function redact(text: string, key: string | undefined): string {
  return key ? text.replaceAll(key, '[key]') : text;
}

/** Describes an error by its code and type only: its message may repeat what users wrote. */
function described({ code, type }: ServiceError): string {
  return `code ${excerpt(code) || 'none'}, type ${excerpt(type) || 'none'}`;
}

export function excerpt(text: string): string {
  return text.length > LOGGED_LENGTH ? `${text.slice(0, LOGGED_LENGTH)}…` : text;
}
