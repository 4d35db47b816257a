import { MAX_GUEST_IMAGES } from '../../../shared/media/images.ts';
import { placeHold } from '../../credits/holds/store.ts';
import { topUp } from '../../credits/holds/topUp.ts';
import type { LimitState } from '../../credits/rules/limitWindow.ts';
import { changed } from '../../platform/db/changes.ts';
import type { RunRow } from '../../platform/db/schema.ts';
import { AppError } from '../../platform/errors.ts';
import type { AppEnv } from '../../platform/http/env.ts';
import type { ChatCall } from '../dialects/chat/request.ts';
import { type Caller, promptLimit, requireHeld, shuttingDown } from '../runs/admit.ts';
import { clampChain, namesOf, requireServed, worstOf } from '../runs/chain.ts';
import { MAX_BYTES_A_TOKEN } from '../runs/compacting.ts';
import { countOrRefuse, refuseFailures, refuseSuspended } from '../runs/limited.ts';
import type { Admitted } from '../runs/receive.ts';
import { insertRun, NOTHING_USED } from '../runs/runs.ts';
import type { TurnDeps } from '../runs/turn.ts';
import type { CallRequest, NativeName } from '../stream.ts';
import { dailyCapReached, type EditorCall } from './editorUse.ts';
import { keySpent } from './errors.ts';
import { findUsable } from './usable.ts';

/** A tool's call whose hold is placed. */
export interface AdmittedCall extends Admitted {
  request: CallRequest;
  /** The account's limits after admission. Empty if it has none. */
  limits: readonly LimitState[];
  /** Of the account, where its owner can appeal. */
  accountPage: string | null;
}

/** `device` names the tool; `editor` is set if it is another extension of the editor. */
export type CallCaller = Caller & Pick<AppEnv['Variables'], 'key'> & { editor: EditorCall | null };

/**
 * Admits the call of a tool: refuses with a named reason, or stores the run and its hold in one transaction. On SQLite
 * the hold may still be on its way to the disk when the call goes upstream. A power cut then loses the hold of a call
 * that nobody was charged for; the settlement is on the disk before the client has its last byte.
 */
export async function admitCall(
  deps: TurnDeps,
  caller: CallCaller,
  call: ChatCall,
  cacheKey: string | null,
  native: NativeName | undefined,
): Promise<AdmittedCall> {
  const { model, usable } = await findUsable(deps.catalog, caller, call.model);
  const { bound: inputBound, textBound, pictures } = call.size;
  const limitTokens = promptLimit(caller, model);
  if (isBeyond(textBound, limitTokens)) throw tooLong(Math.ceil(textBound / 4), limitTokens, model.name);
  const inputEstimate = call.size.estimate;
  // A guest's call has one price, so its length decides what it can cost us.
  const isMuch = textBound > limitTokens * MAX_BYTES_A_TOKEN || pictures > MAX_GUEST_IMAGES;
  const bytesTooMany = caller.accountKind === 'guest' && isMuch;
  if (inputEstimate > limitTokens || bytesTooMany) throw tooLong(inputEstimate, limitTokens, model.name);
  // Clients ask for as much as the whole context; the hold is for what the model can write.
  const size = { inputEstimate, inputBound, limitTokens: call.limitTokens };
  const chain = deps.catalog.chain(model, usable, (other) => inputEstimate <= promptLimit(caller, other));
  requireServed(deps.upstream, chain, usable, native);
  return deps.db.writeUnsynced(async (tx) => {
    if (deps.draining.aborted) throw shuttingDown();
    const at = deps.clock.now();
    if (!caller.isLocal) await refuseFailures(tx, deps.policy, caller.accountId, at);
    const id = deps.ids.next();
    if (caller.isLocal) {
      const neededMicro = worstOf(chain, size);
      await topUp(tx, { accountId: caller.accountId, runId: id, neededMicro, at });
    }
    let clamped = clampChain(chain, size, 0);
    const hold = await placeHold(tx, {
      id: deps.ids.next(),
      accountId: caller.accountId,
      runId: id,
      // Computed while the wallet is locked: of two concurrent calls, the second gets what the first leaves.
      amountMicro(availableMicro) {
        clamped = clampChain(chain, size, availableMicro);
        return clamped.neededMicro;
      },
      at,
      key: caller.key,
      editor: caller.editor,
    });
    if (hold.kind === 'key_spent')
      throw caller.editor ? dailyCapReached(caller.device, hold) : keySpent(caller.key?.name ?? '', hold);
    requireHeld(deps, caller, hold);
    await refuseSuspended(tx, caller, at);
    const [{ maxOutputTokens }, ...fallbacks] = clamped.links;
    const run: RunRow = {
      id,
      conversation_id: null,
      account_id: caller.accountId,
      user_message_id: null,
      message_id: null,
      kind: 'call',
      model: model.id,
      state: 'running',
      device: caller.device,
      request_hash: '',
      max_output_tokens: maxOutputTokens,
      owner_node: deps.node,
      // Not from `at`: this may have waited long for the wallet.
      lease_until: deps.clock.now() + deps.leaseMs,
      stop_requested: 0,
      checkpoint: JSON.stringify(NOTHING_USED),
      price: JSON.stringify(model.price),
      last_seq: 0,
      created_at: at,
      ended_at: null,
      outcome: null,
      repairs: null,
      clamped_to: maxOutputTokens < clamped.longest ? maxOutputTokens : null,
      request_id: caller.notes?.id ?? null,
      effort: null,
      compacts: null,
    };
    // The hold has locked the wallet, so the account's other requests, on any node, are counted after this one.
    const limits = await countOrRefuse(tx, deps.policy, caller, run, inputEstimate + maxOutputTokens);
    if (!(await insertRun(tx, run))) throw new Error('a new id that was used before');
    changed(tx, caller.accountId, 'balance', caller.accountId);
    const request = {
      ...{ model: model.id, body: call.body, isStream: call.stream, maxOutputTokens },
      fallbacks: namesOf(fallbacks),
      cacheKey,
    };
    const { notes, accountPage } = caller;
    return { run, model, inputEstimate, inputBound, fallbacks, request, limits, accountPage, notes };
  });
}

/** Ten bytes a token and more is no text, and pictures are bounded by ten times their estimate. Counting takes long. */
export const isBeyond = (textBound: number, limitTokens: number) => textBound > limitTokens * 12;

export const tooLong = (tokens: number, limitTokens: number, model: string) =>
  new AppError(
    'context_too_long',
    `This request is about ${tokens} tokens, and ${model} reads ${limitTokens} at most. Send less of the conversation.`,
    { limitTokens, promptTokens: tokens },
  );
