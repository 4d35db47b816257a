import { z } from 'zod';

const UserSchema = z.object({ id: z.int().positive(), login: z.string(), name: z.string().nullish() });
const EmailsSchema = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));
const TIMEOUT_MS = 15_000;

/**
 * The owner of a GitHub access token. GitHub is no OIDC provider and has its own API. The address is the primary one,
 * verified or not. Null if GitHub doesn't say.
 */
export async function readGithubUser(apiUrl: string, accessToken: string) {
  const [user, emails] = await Promise.all([
    read(UserSchema, `${apiUrl}/user`, accessToken),
    read(EmailsSchema, `${apiUrl}/user/emails`, accessToken),
  ]);
  if (!user) return null;
  const email = emails?.find(({ primary }) => primary);
  return {
    id: String(user.id),
    name: user.name ?? user.login,
    email: email?.email,
    emailVerified: email?.verified ?? false,
  };
}

async function read<T>(schema: z.ZodType<T>, url: string, accessToken: string): Promise<T | null> {
  const headers = {
    authorization: `Bearer ${accessToken}`,
    accept: 'application/vnd.github+json',
    'user-agent': 'Perigee',
  };
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!answer.ok) return null;
  return schema.safeParse(await answer.json()).data ?? null;
}
