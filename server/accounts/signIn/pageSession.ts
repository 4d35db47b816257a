import type { AppContext } from '../../platform/http/env.ts';
import type { GrantDeps } from '../people/authDeps.ts';
import { startSession } from '../sessions/sessions.ts';

/** A browser's session; its token is only for the cookie. */
export async function startPageSession(
  { ids, sessionMs }: Pick<GrantDeps, 'ids' | 'sessionMs'>,
  tx: Parameters<typeof startSession>[0],
  accountId: string,
  name: string,
  at: number,
): Promise<string> {
  const token = ids.secret();
  const session = { id: ids.next(), account_id: accountId, kind: 'page' as const, name, tool: 'Browser', jkt: null };
  await startSession(tx, { ...session, token, at, expiresAt: at + sessionMs });
  return token;
}

/** A browser name that its owner recognises, from the User-Agent. */
export function browserName(c: AppContext): string {
  const agent = c.req.header('user-agent') ?? '';
  const find = (names: [RegExp, string][]) => names.find(([pattern]) => pattern.test(agent))?.[1];
  const browser = find([
    [/Edg\//, 'Edge'],
    [/OPR\//, 'Opera'],
    [/Firefox\//, 'Firefox'],
    [/Chrom(e|ium)\//, 'Chrome'],
    [/Safari\//, 'Safari'],
  ]);
  const system = find([
    [/Android/, 'Android'],
    [/iPhone|iPad/, 'iOS'],
    [/Windows/, 'Windows'],
    [/Mac OS X/, 'macOS'],
    [/Linux|X11/, 'Linux'],
  ]);
  return [browser ?? 'A browser', system && `on ${system}`].filter(Boolean).join(' ');
}
