/** How a reviewer is called at the desk, also after the account was deleted (both null). */
export const nameOf = (account: { name: string | null; email: string | null }): string =>
  account.name ?? account.email ?? 'a former reviewer';

/** How the operator is called where reviewers have names. */
export const OPERATOR = 'the operator';
