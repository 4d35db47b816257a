/** What `promise` resolves to, or undefined after `ms`, or if it rejects. */
export async function within<T>(promise: PromiseLike<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** The same for work that can be told to stop: its signal aborts after `ms`, and once nobody waits for it. */
export async function stoppedWithin<T>(
  work: (signal: AbortSignal) => PromiseLike<T>,
  ms: number,
): Promise<T | undefined> {
  const over = new AbortController();
  try {
    return await within(work(over.signal), ms);
  } finally {
    over.abort();
  }
}
