import type { Account, Notice } from '../../../shared/account.ts';

/**
 * What an account's owner must be told now; each keeps its id for as long as it is the same thing. `price` is what members
 * are told of prices, `everyone` what the operator tells every account.
 */
export function noticesOf(
  account: Account,
  { price, everyone }: { price: Notice | null; everyone: readonly Notice[] },
  now: string,
): Notice[] {
  const { suspended, closing, termsDue } = account;
  const notices: Notice[] = [];
  if (suspended) {
    const until = suspended.until ? `until ${suspended.until}` : 'until further notice';
    const text = `This account is suspended ${until}. ${sentence(suspended.why) || 'No reason was given.'} Nothing is answered; your data can be read, exported and deleted.`;
    notices.push({ id: `suspended:${suspended.since}`, kind: 'suspended', text, at: suspended.since });
  }
  if (closing) {
    const text = `You have closed this account. It is deleted for good on ${closing.goneAt}; until then you can export your data, or keep the account.`;
    notices.push({ id: `closing:${closing.since}`, kind: 'closing', text, at: closing.since });
  }
  if (termsDue !== undefined) {
    const text = 'The terms of use have changed. Read and accept them to go on.';
    notices.push({ id: `terms:${termsDue}`, kind: 'terms', text, at: now });
  }
  notices.push(...everyone);
  // Guests pay by the message, whatever the model.
  if (price && account.kind === 'member') notices.push(price);
  return notices;
}

/** What somebody wrote, with a full stop at its end. */
function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed && !/[.!?…]$/.test(trimmed) ? `${trimmed}.` : trimmed;
}
