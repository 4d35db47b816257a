import { deleteCookie, getCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import { z } from 'zod';
import type { Clock, Ids } from '../../platform/clock.ts';
import { AppError } from '../../platform/errors.ts';
import type { AppContext } from '../../platform/http/env.ts';
import type { Origins } from '../../platform/http/origins.ts';
import { hashKeyed } from '../../platform/secrets.ts';
import { optionsOf, prefixOf } from '../sessions/pageCookie.ts';

/** How long a sign-in may take. */
const FLOW_MS = 20 * 60_000;

/** The total length of the flow cookies; the largest one has some 4 KB. */
const MAX_FLOWS_LENGTH = 8_000;

const FlowSchema = z.object({
  id: z.string(),
  /** Identifies this browser's sign-in in the database. */
  secret: z.string(),
  until: z.number(),
  /** The address that a code was sent to. */
  email: z.string().optional(),
  purpose: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('editor'),
      callback: z.string(),
      state: z.string(),
      challenge: z.string(),
      name: z.string(),
      tool: z.string(),
    }),
    z.object({
      kind: z.literal('device'),
      grantId: z.string(),
      userCode: z.string(),
      name: z.string(),
      tool: z.string(),
    }),
    /** `to`: the page that is shown then; absent: the member's page. */
    z.object({ kind: z.literal('page'), to: z.literal('desk').optional() }),
  ]),
});

/** A sign-in in a browser and its purpose. One browser may have several, each in its own cookie. */
export type Flow = z.infer<typeof FlowSchema>;
export type Purpose = Flow['purpose'];

/** Stores flows in signed cookies, so that only the browser that began one can continue it. */
export class Flows {
  readonly #key: string;

  constructor(
    private readonly deps: { ids: Ids; clock: Clock; origins: Origins },
    secret: string,
  ) {
    this.#key = hashKeyed(secret, 'flows', '');
  }

  async begin(c: AppContext, purpose: Purpose): Promise<Flow> {
    const { ids, clock } = this.deps;
    const flow = { id: ids.secret().slice(0, 12), secret: ids.secret(), until: clock.now() + FLOW_MS, purpose };
    this.#makeRoom(c);
    await this.write(c, flow);
    return flow;
  }

  /**
   * Deletes the cookies of older abandoned sign-ins, so that a page that opens many can't fill the browser's cookies.
   */
  #makeRoom(c: AppContext): void {
    const own = prefixOf(c, this.deps.origins) === 'host' ? '__Host-' : '';
    const begun = Object.entries(getCookie(c)).filter(([name]) => name.startsWith(`${own}${nameOf('')}`));
    let room = MAX_FLOWS_LENGTH;
    // Browsers send the oldest first.
    for (const [name, value] of begun.reverse()) {
      room -= name.length + value.length;
      if (room < 0) deleteCookie(c, name.slice(own.length), optionsOf(c, this.deps.origins));
    }
  }

  async write(c: AppContext, flow: Flow): Promise<void> {
    const text = Buffer.from(JSON.stringify(flow)).toString('base64url');
    const options = { ...optionsOf(c, this.deps.origins), sameSite: 'Lax', maxAge: FLOW_MS / 1000 } as const;
    await setSignedCookie(c, nameOf(flow.id), text, this.#key, options);
  }

  /** The flow that this browser's request names. Throws `expired_token` if it has expired or is another browser's. */
  async read(c: AppContext, id: string | undefined): Promise<Flow> {
    const gone = new AppError(
      'expired_token',
      'This sign-in has ended, or was started in another browser. Start it again.',
    );
    if (!id || !/^[A-Za-z0-9_-]{12}$/.test(id)) throw gone;
    const text = await getSignedCookie(c, this.#key, nameOf(id), prefixOf(c, this.deps.origins));
    if (!text) throw gone;
    const flow = FlowSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    if (flow.id !== id || flow.until <= this.deps.clock.now()) throw gone;
    return flow;
  }

  end(c: AppContext, flow: Flow): void {
    deleteCookie(c, nameOf(flow.id), optionsOf(c, this.deps.origins));
  }
}

const nameOf = (id: string) => `perigee_flow_${id}`;
