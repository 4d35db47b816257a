import type * as vscode from 'vscode';
import type { Session } from './account/session/session.ts';
import type { Backend } from './backend.ts';
import type { ChatEdits } from './chat/answers/answerChanges.ts';
import type { ApplyDeps } from './edit/apply/apply.ts';
import type { Accepted } from './edit/changes/proposal.ts';
import type { ProposalsDeps } from './edit/proposals/proposals.ts';
import type { EditsDeps as EditsRun } from './edit/requests/edits.ts';
import { ChosenModel } from './platform/chosenModel.ts';
import type { Instructions } from './platform/instructions/instructions.ts';
import { lazy } from './platform/lazy.ts';
import type { Log } from './platform/log.ts';

const later = () => import('./later.ts');
/** Loaded apart from the other edits: the user's typing after the key belongs in the prompt, so it must open fast. */
const prompts = () => import('./edit/requests/prompt.ts');
const inlines = () => import('./edit/inline/inlineEdits.ts');

interface EditsDeps {
  context: Pick<vscode.ExtensionContext, 'storageUri' | 'globalStorageUri' | 'globalState'>;
  session: Session;
  backend: Backend;
  log: Log;
  /** Disposes the value together with the extension. */
  own<T extends vscode.Disposable>(value: T): T;
  instructions(): Promise<Instructions>;
}

/** Edits, reviews and proposals, and the chat's access to them. Each part is loaded and made at its first use. */
export function lazyEdits({ context, session, backend, log, own, instructions }: EditsDeps) {
  const isGuest = () => session.account?.kind === 'guest';
  const chosen = new ChosenModel(context.globalState);
  const files = lazy(async () => new (await later()).WorkspaceFiles());
  const storage = context.storageUri ?? context.globalStorageUri;
  const checkpoints = lazy(async () => own(new (await later()).Checkpoints(storage, log)));
  const record = async (accepted: Accepted) => (await checkpoints()).record(accepted);
  const takeBack = async (id: string) => (await checkpoints()).takeBack(id);
  const review: ProposalsDeps['review'] = async (...args) => (await edits()).review(...args);
  const reports = lazy(async () => own(new (await later()).Reports()));
  const proposals = lazy(async () => {
    const { Proposals } = await later();
    return own(new Proposals({ files: await files(), reports: await reports(), review, record, takeBack, log }));
  });
  const prompt = lazy(async () => new (await prompts()).EditPrompt(context.globalState));
  const atNames = lazy(async () => new (await later()).PromptContext());
  const guide: EditsRun['guide'] = async (about) => (await instructions()).take(about);
  const models = lazy(async () => {
    const { ModelChoice } = await later();
    const choice = new ModelChoice(session, backend, context.globalState);
    // Another server or account has other models. If they can't be loaded, a prompt tries again.
    const forget = () => {
      choice.models = [];
    };
    own(session.onDidConnect(() => void choice.load().catch(forget)));
    return choice;
  });
  const inline = lazy(async () => {
    const [{ InlineEdits }, asking] = await Promise.all([inlines(), prompt()]);
    const named = { offers: async (query: string, about: vscode.Uri) => (await atNames()).offers(query, about) };
    const read = async (text: string, about: vscode.Uri) => (await atNames()).read(text, about);
    const deps = { ...named, read, guide, edits, models, prompt: asking, memory: context.globalState };
    return own(new InlineEdits(deps));
  });
  const edits = lazy(async () => {
    const { createEdits, runsOf } = await later();
    const runs = runsOf(session, backend, () => chosen.asked);
    const open = await proposals();
    const deps = { files: await files(), reports: await reports(), proposals: () => open, prompt: await prompt() };
    return own(createEdits({ ...deps, runs, record, takeBack, isGuest, guide, log }));
  });
  const apply = lazy(async () => {
    const { Apply } = await later();
    const [known, open] = [await files(), await proposals()];
    const editFile: ApplyDeps['editFile'] = async (request) => (await edits()).editFile(request);
    const propose: ApplyDeps['propose'] = (source, plans) => open.open(source, plans);
    const tryReview: ApplyDeps['review'] = async (...args) => (await edits()).tryReview(...args);
    return new Apply({ files: known, propose, review: tryReview, editFile });
  });
  const undecided = lazy(async () => {
    const { Undecided } = await later();
    return new Undecided((await edits()).reviews, (await proposals()).list);
  });
  const chatEdits: ChatEdits = {
    applyCode: async (code) => (await apply()).applyCode(code),
    applyAnswer: async (answer) => (await apply()).applyAnswer(answer),
    placeCode: async (code) => {
      await (await apply()).placeCode(code);
      return (await undecided()).waits(code.source);
    },
    undecided,
    show: async (waiting) => (await undecided()).show(waiting),
    checkpoints,
  };
  const fixes = lazy(async () => new (await later()).Fixes(await edits()));
  const readyMade = lazy(async () => new (await later()).ReadyMade(await edits()));
  const commitMessages = lazy(async () => {
    const { CommitMessages, runsOf } = await later();
    return own(new CommitMessages({ runs: runsOf(session, backend, () => chosen.asked), isGuest, log }));
  });

  return { edits, prompt, inline, apply, proposals, checkpoints, fixes, readyMade, commitMessages, chatEdits };
}

export type LazyEdits = ReturnType<typeof lazyEdits>;
