import { z } from 'zod';
import type { Plan } from '../../platform/config/paymentConfig.ts';
import type { PaymentRow } from '../../platform/db/schema.ts';

// Metadata of a checkout at Stripe beside the payment's id. A database restored from an older backup learns from it
// what was bought, for which ledger, and at which installation: others may use the same Stripe account. It names no
// person, because a ledger's id is random.

/** Stripe's limit for one value of metadata, in characters. */
const MAX_VALUE = 500;

/** `installation`: the fingerprint of its SECRET, which a backup has, too. */
export function noteOf(payment: PaymentRow, installation: string): Record<string, string> {
  const { ledger_id, name, pack, plan, interval, credits_micro, windows } = payment;
  return {
    perigee_installation: installation,
    perigee_ledger: ledger_id,
    perigee_name: name,
    ...(pack === null ? {} : { perigee_pack: pack, perigee_credits_micro: `${credits_micro}` }),
    ...(plan === null ? {} : { perigee_plan: plan, perigee_interval: `${interval}` }),
    // Too long to fit: a restore then uses the windows of the plan as it is sold by then.
    ...(windows !== null && windows.length <= MAX_VALUE ? { perigee_windows: windows } : {}),
  };
}

const text = z.string().min(1).max(MAX_VALUE);
const NoteSchema = z.object({
  perigee_payment: z.uuid(),
  perigee_ledger: text,
  perigee_name: text,
  perigee_pack: text.optional(),
  perigee_credits_micro: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
  perigee_plan: text.optional(),
  perigee_interval: z.enum(['month', 'year']).optional(),
  perigee_windows: text.optional(),
});

/** The installation that made a checkout. Null: one that noted none yet, or another program. */
export const installationOf = (note: Record<string, string>): string | null => note.perigee_installation ?? null;

/** The payment's row as it was before the checkout, without its money. Null: the note is incomplete. */
export function readNote(note: Record<string, string>, plans: readonly Plan[]) {
  const parsed = NoteSchema.safeParse(note);
  if (!parsed.success) return null;
  const said = parsed.data;
  const of = { id: said.perigee_payment, ledger_id: said.perigee_ledger, name: said.perigee_name };
  if (said.perigee_pack !== undefined) {
    if (said.perigee_credits_micro === undefined) return null;
    const none = { plan: null, interval: null, windows: null };
    return { ...of, pack: said.perigee_pack, credits_micro: said.perigee_credits_micro, ...none };
  }
  const sold = plans.find(({ id }) => id === said.perigee_plan);
  const windows = said.perigee_windows ?? (sold && JSON.stringify(sold.windows));
  if (said.perigee_plan === undefined || said.perigee_interval === undefined || windows === undefined) return null;
  return { ...of, pack: null, credits_micro: 0, plan: said.perigee_plan, interval: said.perigee_interval, windows };
}
