import type { StrangerAnswer, StrangerRequest } from '../editor/stageServer.ts';

/** Something at an address that listens, but is not the user's Perigee. */
export interface Stranger {
  url: string;
  /** What it was asked up to now. */
  requests(): Promise<StrangerRequest[]>;
}

/** Has the suites' surroundings open one: in an extension host nothing can listen. */
export async function meetStranger(...answers: StrangerAnswer[]): Promise<Stranger> {
  const stage = process.env.PERIGEE_STAGE;
  const opened = await fetch(`${stage}/strangers`, { method: 'POST', body: JSON.stringify(answers) });
  const { at, seen } = (await opened.json()) as { at: string; seen: string };
  return {
    url: at,
    async requests() {
      return (await (await fetch(stage + seen)).json()) as StrangerRequest[];
    },
  };
}
