/** A service may carry so much more than its share before the others get a conversation that is its own. */
const EVENNESS = 1.25;

export interface Candidate {
  id: string;
  /** Its share of the requests, beside the other weights. */
  weight: number;
  /** How many requests it is answering. */
  load: number;
}

/**
 * The services in the order to try them. The same key gets the same service first, because that one has the
 * conversation's prompt in its cache; over many keys each is first by its weight (weighted rendezvous hashing). Services
 * that carry more than their share come last (consistent hashing with bounded loads, Mirrokni et al. 2016), so a slow
 * one gets fewer.
 */
export function ordered<C extends Candidate>(candidates: readonly C[], key: string): C[] {
  const total = { weight: 0, load: 1 };
  for (const { weight, load } of candidates) {
    total.weight += weight;
    total.load += load;
  }
  const isFull = ({ weight, load }: C) => load + 1 > Math.ceil((EVENNESS * total.load * weight) / total.weight);
  return candidates
    .map((candidate) => ({ candidate, score: -candidate.weight / Math.log(unit(`${key}\n${candidate.id}`)) }))
    .sort((a, b) => b.score - a.score)
    .map(({ candidate }) => candidate)
    .sort((a, b) => Number(isFull(a)) - Number(isFull(b)));
}

/** A number between 0 and 1, both excluded, that looks random: FNV-1a, mixed as MurmurHash3 ends. */
function unit(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  return ((hash >>> 0) + 0.5) / 2 ** 32;
}
