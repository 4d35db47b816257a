/** OpenAI takes no longer ids of calls and names of functions. */
const MOST_UNITS = 64;

/**
 * The id of a call as services take it. Ids go on as they are: a model that named its calls itself reads its own names
 * again. One that is too long, from the history of another provider, becomes the same shorter one in the call, in its
 * result and on every later turn.
 */
export function callId(id: string): string {
  return id.length <= MOST_UNITS ? id : shortened(id);
}

/** The name of a function in a namespace, as services take names of functions. */
export function flatName(namespace: string | undefined, name: string): string {
  if (namespace === undefined) return name;
  const flat = `${namespace}__${name}`;
  if (flat.length > MOST_UNITS) return shortened(flat);
  return plain(flat);
}

function shortened(text: string): string {
  return `${plain(text.slice(0, MOST_UNITS - 33))}_${digest(text)}`;
}

const plain = (text: string) => text.replace(/[^A-Za-z0-9_-]/g, '_');

/** FNV-1a in four lanes, each with a start and a prime of its own: 128 bits as 32 hexadecimal digits. */
function digest(text: string): string {
  return LANES.map(([start, prime]) => {
    let hash = start;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), prime);
    return (hash >>> 0).toString(16).padStart(8, '0');
  }).join('');
}

/** FNV's own start and prime, and three others. */
const LANES: readonly [start: number, prime: number][] = [
  [0x811c9dc5, 0x01000193],
  [0x9e3779b9, 0x85ebca6b],
  [0x7f4a7c15, 0xc2b2ae35],
  [0x94d049bb, 0x27d4eb2f],
];
