import assert from 'node:assert/strict';
import type { Edit, FilePlan } from '../../extension/edit/engine/edits.ts';
import { planEdits } from '../../extension/edit/engine/planning/plan.ts';
import { AnswerReader } from '../../extension/edit/engine/reading/answerReader.ts';
import { buildPrompt, type Turn } from '../../server/gateway/prompt/prompt.ts';
import { DEMO_MODEL, demoUpstream } from '../../server/gateway/upstreams/demo/demo.ts';
import type { EditInput } from '../../shared/runs.ts';
import { eventsIn } from './pieces.ts';

/** Texts by path. */
export type Files = Record<string, string>;

/** The demo model's answer to these turns, without a server. */
export async function say(kind: 'chat' | 'edit', turns: Turn[]): Promise<{ text: string; error?: unknown }> {
  const request = { model: DEMO_MODEL, messages: buildPrompt(kind, turns, false), maxOutputTokens: 1e6, cacheKey: 'c' };
  let text = '';
  try {
    for await (const event of eventsIn(demoUpstream({ delayMs: 0 }).stream(request, new AbortController().signal)))
      if (event.type === 'text') text += event.text;
  } catch (error) {
    return { text, error };
  }
  return { text };
}

/** Parses an answer with the editor's own code. */
export function readEdits(text: string): Edit[] {
  const reader = new AnswerReader();
  return [...reader.feed(text), ...reader.end()];
}

export const language = (path: string) =>
  ({ ts: 'typescript', py: 'python', md: 'markdown' })[path.split('.').at(-1)!] ?? '';
export const filesOf = (files: Files) =>
  Object.entries(files).map(([path, text]) => ({ path, languageId: language(path), text }));
export const turnOf = (edit: EditInput): Turn => ({ role: 'user', text: '', edit });
export const editTurn = (instruction: string, files: Files, paths?: string[]) =>
  turnOf({ instruction, files: filesOf(files), ...(paths ? { paths } : {}) });

export const planOf = (text: string, files: Files) => planEdits(readEdits(text), (path) => files[path]);
/** Applies the demo model's answer to the files. */
export const ask = async (instruction: string, files: Files, paths?: string[]) =>
  planOf((await say('edit', [editTurn(instruction, files, paths)])).text, files);

/** All files after the plans; fails if one was refused. */
export function done(files: Files, plans: readonly FilePlan[]): Files {
  const after = { ...files };
  for (const plan of plans) {
    if (plan.kind === 'refused') assert.fail(`${plan.path}: ${plan.refusals.map((r) => r.message).join(' ')}`);
    if (plan.kind === 'delete' || plan.kind === 'move') delete after[plan.path];
    if (plan.kind === 'move') after[plan.to] = plan.after;
    else if (plan.kind !== 'delete') after[plan.path] = plan.after;
  }
  return after;
}
