import type { Account, Member } from '../traffic/account.ts';
import { Days } from '../traffic/day.ts';
import { type Person, somePerson, type World } from '../traffic/person.ts';
import { DIRECT, Route, type RouteSpec } from '../traffic/route.ts';

/** `clean`: never a flag, and no wrong hint either; `unflagged`: no flag; `flagged`; `missed`: not flagged, and known to be missed. */
export type MustBe = 'clean' | 'unflagged' | 'flagged' | 'missed';

export interface Persona {
  name: string;
  about: string;
  mustBe: MustBe;
  /** Of honest ones: so like sharing that it is counted by itself. */
  isHard?: boolean;
  /** Only in set B: the constants were not fitted on it. */
  isUnseen?: boolean;
  /** Weight among all honest accounts. Assumption. */
  weight?: number;
  make: (world: World) => Account;
}

export const accountOf = (members: Member[], rest: Partial<Account> = {}): Account => ({
  ...{ members, beside: { isDeclared: false }, accountsOfDevices: 1 },
  ...rest,
});

export const member = (world: World, person: Person, route: Route, joins = 0): Member => ({
  ...{ source: new Days(world, person, 0), route, joins },
});

/** One person, changed a little, on one route. */
export function one(
  world: World,
  changes: Partial<Person> | ((person: Person) => void),
  spec: RouteSpec = DIRECT,
): Account {
  const person = somePerson(world);
  if (typeof changes === 'function') changes(person);
  else Object.assign(person, changes);
  return accountOf([member(world, person, new Route(world, spec))]);
}
