/**
 * Everything that the editor's start does not need. On Node, esbuild makes it a separate file that is read at its first
 * use: see esbuild.config.mjs.
 */
export { createKey } from './account/apiKey.ts';
export { Notices } from './account/notices.ts';
export { acceptTerms, openAccountPage } from './account/page.ts';
export { SignIn } from './account/signIn/signIn.ts';
export { leaveAndTell, signOut } from './account/signIn/signOut.ts';
export { PromptContext } from './chat/context/promptContext.ts';
export { ChatController } from './chat/controller.ts';
export { ModelChoice } from './chat/modelChoice.ts';
export { AskedHere } from './chat/participant/askedHere.ts';
export { Participant } from './chat/participant/participant.ts';
export { CommitMessages } from './edit/actions/commitMessage.ts';
export { Fixes } from './edit/actions/fixes.ts';
export { ReadyMade } from './edit/actions/readyMade.ts';
export { Apply } from './edit/apply/apply.ts';
export { Undecided } from './edit/apply/undecided.ts';
export { Checkpoints } from './edit/checkpoints/checkpoints.ts';
export { WorkspaceFiles } from './edit/files/files.ts';
export { Reports } from './edit/notifications/reports.ts';
export { Proposals } from './edit/proposals/proposals.ts';
export { createEdits } from './edit/requests/edits.ts';
export { runsOf } from './edit/runs/runs.ts';
export { LanguageModels } from './models/languageModels.ts';
export { Instructions } from './platform/instructions/instructions.ts';
export { welcome } from './platform/welcome.ts';
export { showQuota } from './quota/details.ts';
export { LowCredit } from './quota/lowCredit.ts';
