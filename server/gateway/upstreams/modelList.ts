/** Some 5,000 models with the longest descriptions of any known service. */
const MAX_LIST_BYTES = 10_000_000;
const MAX_MODELS = 2_000;
/** The longest model id that a run's request may name. */
const MAX_ID_LENGTH = 200;

/** `fetch` with a size limit: it fails when the answer exceeds `MAX_LIST_BYTES`. */
export async function boundedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (!response.body) return response;
  let left = MAX_LIST_BYTES;
  const bounded = new TransformStream<Uint8Array, Uint8Array>({
    transform(bytes, controller) {
      left -= bytes.length;
      if (left < 0) controller.error(new Error(`an answer of more than ${MAX_LIST_BYTES} bytes`));
      else controller.enqueue(bytes);
    },
  });
  const { status, statusText } = response;
  // The body is already decompressed.
  const headers = new Headers(response.headers);
  for (const name of ['content-encoding', 'content-length']) headers.delete(name);
  return new Response(response.body.pipeThrough(bounded), { status, statusText, headers });
}

/** The ids in a list of models, without duplicates; null if this is no list. Skips ids that a run could not name. */
export function modelIds(list: unknown): string[] | null {
  const { data, models } = (list ?? {}) as { data?: unknown; models?: unknown };
  const entries = [list, data, models].find(Array.isArray);
  if (!entries) return null;
  const ids = new Set<string>();
  for (const entry of entries) {
    const id = typeof entry === 'string' ? entry : (entry?.id ?? entry?.model ?? entry?.name);
    if (typeof id !== 'string' || id.length > MAX_ID_LENGTH || !/^[^\s\p{C}](?:[^\p{C}]*[^\s\p{C}])?$/u.test(id))
      continue;
    ids.add(id);
    if (ids.size === MAX_MODELS) break;
  }
  return [...ids];
}
