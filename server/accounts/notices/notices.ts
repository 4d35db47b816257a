import type { Account, Notice } from '../../../shared/account.ts';

/**
 * The current notices to an account's owner. Each keeps its id while it is about the same thing. `price` is the notice
 * about prices, `everyone` are the operator's notices to every account, `client` is about a tool that contradicts itself; `decisions`
 * are about what people have decided.
 */
export function noticesOf(
  account: Account,
  {
    price,
    everyone,
    client,
    decisions,
  }: {
    price: Notice | null;
    everyone: readonly Notice[];
    client: Notice | null;
    decisions: readonly Notice[];
  },
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
  notices.push(...decisions, ...everyone);
  if (client) notices.push(client);
  // Guests pay for each message, whatever the model, so prices don't concern them.
  if (price && account.kind === 'member') notices.push(price);
  return notices;
}

/** Ends a text that a person wrote with a full stop. */
function sentence(text: string): string {
  const trimmed = text.trim();
  return trimmed && !/[.!?…]$/.test(trimmed) ? `${trimmed}.` : trimmed;
}
