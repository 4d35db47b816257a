import type { Migration, MigrationProvider } from 'kysely';
import { main } from './001-main.ts';
import { repairs } from './002-repairs.ts';
import { cutShort } from './003-cut-short.ts';
import { accounts } from './004-accounts.ts';
import { rights } from './005-rights.ts';
import { plans } from './006-plans.ts';
import { payments } from './007-payments.ts';
import { limits } from './008-limits.ts';
import { referrals } from './009-referrals.ts';
import { notices } from './010-notices.ts';
import { books } from './011-books.ts';
import { tiers } from './012-tiers.ts';
import { debts } from './013-debts.ts';
import { comingPrices } from './014-coming-prices.ts';
import { mailCodes } from './015-mail-codes.ts';
import { conversations } from './016-conversations.ts';
import { conversationKinds } from './017-conversation-kinds.ts';
import { customers } from './018-customers.ts';
import { incidents } from './019-incidents.ts';
import { keys } from './020-keys.ts';
import { calls } from './021-calls.ts';
import { thinking } from './022-thinking.ts';
import { usage } from './023-usage.ts';
import { drainedServices } from './024-drained-services.ts';
import { risk } from './025-risk.ts';
import { riskFlags } from './027-risk-flags.ts';
import { desk } from './028-desk.ts';
import { efforts } from './029-efforts.ts';
import { pictures } from './030-pictures.ts';
import { requests } from './032-requests.ts';
import { symbols } from './033-symbols.ts';

/** All migrations by name, in order. Every node runs them when it starts, one node at a time. */
export function migrations(engine: 'sqlite' | 'postgres'): MigrationProvider {
  const all: Record<string, Migration> = {
    '001-main': main(engine),
    '002-repairs': repairs,
    '003-cut-short': cutShort,
    '004-accounts': accounts(engine),
    '005-rights': rights,
    '006-plans': plans,
    '007-payments': payments,
    '008-limits': limits,
    '009-referrals': referrals,
    '010-notices': notices,
    '011-books': books,
    '012-tiers': tiers,
    '013-debts': debts,
    '014-coming-prices': comingPrices,
    '015-mail-codes': mailCodes,
    '016-conversations': conversations(engine),
    '017-conversation-kinds': conversationKinds,
    '018-customers': customers,
    '019-incidents': incidents,
    '020-keys': keys,
    '021-calls': calls(engine),
    '022-thinking': thinking,
    '023-usage': usage,
    '024-drained-services': drainedServices,
    '025-risk': risk(engine),
    '027-risk-flags': riskFlags,
    '028-desk': desk(engine),
    '029-efforts': efforts,
    '030-pictures': pictures(engine),
    '032-requests': requests,
    '033-symbols': symbols,
  };
  return { getMigrations: async () => all };
}
