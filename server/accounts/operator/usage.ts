export const USAGE = `perigee-admin COMMAND, or in a checkout: npm run admin -- COMMAND

  find TEXT                         lists accounts by a part of their address, name or id
  show ACCOUNT                      shows one account and what is left
  create EMAIL [--name N] [--tier N]
                                    makes an account; its owner signs in by a code sent to EMAIL
  suspend ACCOUNT --why TEXT [--until WHEN]
                                    refuses every answer to the account; its owner reads TEXT
  reinstate ACCOUNT                 ends a suspension, and keeps an account that a reviewer has closed
  appeals                           lists the open appeals, and who hears each
  appeal NUMBER                     shows an appeal by the number of its case
  appeal NUMBER --pictures FOLDER   writes the pictures of an appeal into a folder
  appeal NUMBER --uphold|--reverse --why TEXT
                                    decides an appeal that no other reviewer can hear; its owner reads TEXT
  tier ACCOUNT N                    sets which limits apply: 0 to 4
  grant ACCOUNT CREDITS --why TEXT [--id TEXT]
                                    gives promotional credits, once for each --id; the owner reads --why
  reset ACCOUNT [CREDITS] --why TEXT
                                    takes promotional credits back, all or CREDITS of them; the owner reads TEXT.
                                    Credits that running answers hold stay
  plan ACCOUNT PLAN --until WHEN --why TEXT
                                    gives a plan for nothing, in place of one that was given before; the owner reads TEXT
  plan ACCOUNT --end --why TEXT     ends a plan that was given
  key [ACCOUNT] --name N [--models A,B] [--monthly CREDITS] [--expires WHEN]
                                    makes an API key for tools and shows it, once
  keys [ACCOUNT]                    lists an account's API keys
  revoke-key ID                     ends an API key at once
  referrals [--refused]             lists who joined by whose link, and what it earned or why nothing
  requests [ACCOUNT] [--failed] [--since WHEN]
                                    lists the newest requests, how each ended and how long it took; WHEN is in the past
  requests --id REQUEST_ID          shows one request by its x-request-id
  notice TEXT --until WHEN [--mail]
                                    shows TEXT to every account in the editor and on the page, and mails it
  notice --end ID                   ends a notice
  notices                           lists all notices
  promotion NAME --credits N --budget CREDITS [--from WHEN] --until WHEN [--for signups|members] --why TEXT
                                    gives credits once to each person who signs up, or to each member who enters NAME
                                    as a code on the account page, while the budget lasts; they read --why
  promotion NAME --end              ends a promotion
  promotions                        lists what each promotion has given, and what is left
  upstreams                         lists the model services, asks each for its models now, and tells how it has answered
  upstreams drain ID                lets no new request go to a service; what it is answering goes on
  upstreams use ID                  lets requests go to it again
  flags                             lists the accounts that may be shared through a relay; a person decides what follows
  flags off --why TEXT              stops flagging on every node; flags on goes on
  dossier NUMBER                    shows why an account was flagged, and what speaks against it
  case NUMBER                       prints the numbers of a case, without its account, if the owner has allowed it in an
                                    appeal: for the cases that the rules are tried on
  team ACCOUNT [--end]              says that a plan was sold to several people: the account is not flagged
  reviewer EMAIL                    lets a member decide about flagged accounts at the desk, and shows a setup code, once
  reviewer EMAIL --setup            forgets the second factor, and shows a new setup code
  reviewer EMAIL --end              ends that at once
  reviewers                         lists who decides, and who has
  audit                             proves the books, or says which invariant is broken and where
  retention [--dry-run]             deletes what the policy keeps no longer, or only counts it
  backup FILE [--replace]           copies an embedded database into FILE and checks the copy; the server may run
  restore FILE [--any-secret] [--no-deletions]
                                    puts a backup in place of an embedded database, which is kept; no server may run
  restored [--since WHEN] [--no-deletions]
                                    finishes a restore: after pg_restore, or when Stripe or a crash interrupted it
  help                              shows this

ACCOUNT is an id or an email address. On a server for one person alone it is "local", which keys can leave out.
CREDITS is a number with at most 6 decimals, such as 12.5. WHEN is a day (2027-01-31), a time (2027-01-31T12:00:00Z), or
a number of hours or days from now (12h, 7d), or before now where it is in the past. A suspension without --until lasts until you reinstate the account.

A command ends with 0 if it did all, 1 if it could not, 2 if it was not understood, and 3 if something remains to do
after a restore: its last lines say what.`;

/** The lines of the help about one command. */
export function usageOf(command: string): string[] {
  let isAbout = false;
  return USAGE.split('\n').filter((line) => {
    const [, begun] = /^ {2}(\S+)/.exec(line) ?? [];
    if (begun !== undefined) isAbout = begun === command;
    else if (!line.startsWith('   ')) isAbout = false;
    return isAbout;
  });
}
