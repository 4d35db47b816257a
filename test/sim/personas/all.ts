import { CROSSINGS, UNSEEN } from './crossings.ts';
import { HONEST } from './honest.ts';
import type { Persona } from './persona.ts';
import { SHARERS } from './sharers.ts';
import { SWEEPS } from './sweeps.ts';

export const PERSONAS: readonly Persona[] = [...HONEST, ...CROSSINGS, ...UNSEEN, ...SHARERS];

/** A persona by its name, or a point of a sweep: `people:10`. */
export function personaNamed(name: string): Persona {
  const found = PERSONAS.find((persona) => persona.name === name);
  if (found) return found;
  const [sweepName, point] = name.split(':');
  const sweep = SWEEPS.find((one) => one.name === sweepName);
  if (!sweep || point === undefined)
    throw new Error(`There is no persona "${name}". These are: ${PERSONAS.map((one) => one.name).join(', ')}`);
  const { about, axis, mustBe, make } = sweep;
  return { name, about: `${about}: ${point} ${axis}`, mustBe, make: make(Number(point)) };
}
