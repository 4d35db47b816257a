// What in a message of the role `user` a person wrote. Clients put much more into it: reminders, the state of the editor,
// results of tools, summaries, and requests of their own. Pure.
//
// The names and first words below are what the clients send, as read in their sources and in captured requests
// (November 2026). An unknown form counts as a person's text until it is seen again in its conversation (`forms.ts`), so a
// new client has too many human turns, not too few.

/** Of whom a message of the role `user` is. */
export type Author =
  /** A person. */
  | 'person'
  /** The client: what was said before, in short. A conversation may begin with it. */
  | 'summary'
  /** The client: instructions, the state of the machine, an interruption. */
  | 'context'
  /** The client: the result of a tool, in a client that has no calls of tools. */
  | 'tool'
  /** The client asks for something of its own: a title, a summary, what to propose next. */
  | 'client'
  /** Nothing is in it. */
  | 'nobody';

export interface UserMessage {
  author: Author;
  /** Without what the client added. */
  text: string;
  /** What the client says of open and attached files. */
  files: string;
}

/** Takes the content of a message of chat completions: a text, or parts. */
export function readUserMessage(content: unknown): UserMessage {
  const { text: whole, hasPicture } = textOf(content);
  const { text, said, files } = withoutBlocks(whole.replace(INTERRUPTED, ''));
  if (said !== null) return { author: 'person', text: said, files };
  if (text === '') return { author: hasPicture ? 'person' : 'nobody', text, files };
  const request = text.startsWith(IDE) ? text.indexOf(REQUEST) : -1;
  if (request >= 0)
    return { author: 'person', text: text.slice(request + REQUEST.length).trim(), files: text.slice(0, request) };
  for (const [author, beginning] of BEGINNINGS) if (beginning.test(text)) return { author, text, files };
  return { author: 'person', text, files };
}

/** Claude Code puts this before the text of a person who pressed Escape. */
const INTERRUPTED = /^\s{0,8}\[Request interrupted by user[^\]\n]{0,40}\]/;
/** In an IDE, Codex puts what is open before the person's text. */
const IDE = '# Context from my IDE setup';
const REQUEST = '## My request for Codex:';

/** The text of a content: a string, or its parts of text, between empty lines as the dialects join them. */
export function textOf(content: unknown): { text: string; hasPicture: boolean } {
  if (typeof content === 'string') return { text: content, hasPicture: false };
  let text = '';
  let hasPicture = false;
  if (Array.isArray(content))
    for (const part of content as { type?: unknown; text?: unknown }[])
      if (typeof part?.text === 'string') text += text === '' || part.text === '' ? part.text : `\n\n${part.text}`;
      else if (part?.type === 'image_url') hasPicture = true;
  return { text, hasPicture };
}

/** `<` that are looked at in one message. Pages of HTML have more. */
const MOST_TAGS = 2_000;

/**
 * What becomes of `<name>…</name>`:
 * - `drop`: the client's;
 * - `files`: the client's, on files that are open or attached;
 * - `said`: a person's text, set off from what the client added around it;
 * - `perhaps`: as `files`, but people write such marks, too: it is the client's only if there is a text beside it.
 */
type Rule = 'drop' | 'files' | 'said' | 'perhaps';

const RULES: readonly [Rule, readonly string[]][] = [
  [
    'drop',
    [
      // Claude Code, and Kimi Code, OpenCode and others after it.
      ...['system-reminder', 'local-command-stdout', 'local-command-stderr', 'local-command-caveat', 'command-message'],
      ...['command-contents', 'bash-stdout', 'bash-stderr', 'task-notification', 'user-prompt-submit-hook'],
      ...['session-start-hook', 'new-diagnostics', 'ide_diagnostics', 'policy_spec', 'system'],
      // Agents that have no calls of tools, and teams of agents.
      ...[
        'function_results',
        'function_result',
        'tool_result',
        'returncode',
        'output',
        'observation',
        'teammate-message',
      ],
      // Codex.
      ...['environment_context', 'user_instructions', 'turn_aborted', 'user_shell_command', 'skill', 'INSTRUCTIONS'],
      ...['subagent_notification', 'collaboration_mode', 'realtime_conversation', 'personality_spec', 'hook_context'],
      // Cline and those who came from it.
      ...['explicit_instructions', 'task_progress', 'slash_command', 'todos', 'hook_context'],
      // Copilot and Cursor.
      ...[
        'reminderInstructions',
        'toolUseInstructions',
        'environment_info',
        'system_reminder',
        'user_info',
        'git_status',
      ],
      ...['project_layout', 'agent_skills', 'available_skills', 'repoInfo', 'modeInstructions'],
    ],
  ],
  [
    'files',
    [
      ...['environment_details', 'workspace_info', 'editorContext', 'open_and_recently_viewed_files', 'attached_files'],
      ...[
        'ide_opened_file',
        'ide_selection',
        'file_content',
        'final_file_content',
        'folder_content',
        'additional_data',
      ],
    ],
  ],
  [
    'said',
    ['task', 'feedback', 'user_message', 'user_input', 'userRequest', 'user_query', 'command-args', 'bash-input'],
  ],
  ['perhaps', ['context', 'attachments', 'attachment', 'rules', 'reminder', 'command-name', 'instructions', 'memory']],
];

const BLOCKS = new Map(RULES.flatMap(([rule, names]) => names.map((name) => [name, rule] as const)));
const NAME = /[A-Za-z][\w-]{0,40}/y;

/** Each closing mark is looked for from its opening on, and a missing one only once: linear in the text. */
function withoutBlocks(whole: string): { text: string; said: string | null; files: string } {
  let text = '';
  let said = '';
  let files = '';
  let perhaps = '';
  let kept = 0;
  let from = 0;
  const unclosed = new Set<string>();
  for (let seen = 0; seen < MOST_TAGS; seen++) {
    const open = whole.indexOf('<', from);
    if (open < 0) break;
    from = open + 1;
    NAME.lastIndex = from;
    const name = NAME.exec(whole)?.[0];
    const rule = name === undefined ? undefined : BLOCKS.get(name);
    if (name === undefined || rule === undefined || unclosed.has(name)) continue;
    const closing = `</${name}>`;
    let close = whole.indexOf(closing, from + name.length);
    if (close < 0) {
      unclosed.add(name);
      // Nobody begins a message with such a mark. It was cut short.
      if (rule !== 'drop' || (text + whole.slice(kept, open)).trim() !== '') continue;
      close = whole.length;
    }
    const after = close + closing.length;
    // Attributes stand before the `>`, and may name a file.
    const inner = whole.slice(from + name.length, close).replace(/^>/, '');
    if (rule === 'said') said += `\n${inner}`;
    else if (rule === 'files') files += `\n${inner}`;
    else if (rule === 'perhaps') perhaps += `\n${inner}`;
    text += whole.slice(kept, open);
    kept = after;
    from = after;
  }
  text = (text + whole.slice(kept)).trim();
  said = said.trim();
  if (said !== '') return { text, said, files: files + perhaps };
  if (text === '' && perhaps !== '') return { text: perhaps.trim(), said: null, files };
  return { text, said: null, files: files + perhaps };
}

/** The first words of messages that no person wrote. */
const BEGINNINGS: readonly [Author, RegExp][] = [
  [
    'tool',
    beginning('i', [
      // Written by the dialects here: pictures move out of results, and results without a call become messages.
      ...['Picture in the result of the tool call ', String.raw`\d+ pictures in the result of the tool call `],
      'Result of the tool call ',
      // Cline's results, where the model writes its calls as text.
      ...[String.raw`\[[a-z_]{2,40}(?: for '[^']{0,300}')?\] Result:`, String.raw`\[ERROR\] You did not use a tool`],
      // Agents that write their calls as text, such as "Tool output for read:", "[TOOL RESULT 3]", "[Tool read failed]" and
      // OpenHands' "EXECUTION RESULT of [bash]:"; and hooks.
      String.raw`[\[(#*\s]{0,6}(?:tool|function)s?\b[^\n:\]]{0,60}\b(?:results?|outputs?|responses?)\b(?:[^\n:\]]{0,60}[:\]]|\n)`,
      String.raw`\[(?:tool|function) [^\n\]]{1,60} (?:executed|succeeded|failed)\b[^\n\]]{0,30}\]`,
      String.raw`(?:execution|command|code|shell|terminal) (?:results?|outputs?)\b[^\n:\]]{0,60}[:\]]`,
      ...['Observation:', String.raw`exitcode: -?\d`, 'Stop hook feedback:', 'Execution result'],
      // OpenCode.
      ...['Called the [A-Za-z]{1,40} tool with', 'The following tool was executed by the user'],
    ]),
  ],
  [
    'summary',
    beginning('', [
      'This session is being continued from a previous conversation',
      'Another language model started to solve this problem',
      'The conversation history before this point was compacted',
      ...['The previous context has been compacted', String.raw`\[compact-summary\]`, 'What did we do so far\\?'],
      'I spoke to you previously about a number of things',
    ]),
  ],
  [
    'client',
    beginning('', [
      // Titles.
      ...['Please write a 5-10 word title', 'Generate a (?:brief |concise |short )?(?:chat )?title'],
      ...['Given the following.{0,40}please reply with a title', String.raw`### Task:\s`],
      // Summaries.
      'Your task is to create a detailed summary of (?:the|this|our) conversation',
      'CRITICAL: Respond with TEXT ONLY',
      'You are performing a CONTEXT CHECKPOINT COMPACTION',
      ...['Provide a detailed prompt for continuing our conversation', 'Summarize this coding conversation'],
      // Going on without being told to.
      ...['Summarize the task tool output above', 'Continue if you have next steps', String.raw`\[SUGGESTION MODE`],
      // Claude Code's look at the quota, and at a page.
      ...['(?:quota|Warmup)$', 'Web page content:\\n'],
    ]),
  ],
  [
    'context',
    beginning('', [
      // Codex, with the texts of AGENTS.md.
      ...['# AGENTS.md instructions', '# Instructions from AGENTS.md'],
      // Claude Code.
      'Caveat: The messages below were generated by',
      // Cline.
      String.raw`\[TASK RESUMPTION\]`,
      // Aider: files and the map of the repository stand in messages of their own, behind three examples.
      String.raw`I have \*added these files to the chat`,
      ...[
        'Here are summaries of some files',
        'Here are some READ ONLY files',
        'I am not sharing any',
        'I switched to a new',
      ],
      'Change get_factorial\\(\\) to use math',
      ...['Refactor hello\\(\\) into its own file', 'Change the greeting to be more casual'],
    ]),
  ],
];

function beginning(flags: '' | 'i', texts: readonly string[]): RegExp {
  return new RegExp(`^(?:${texts.join('|')})`, flags);
}

/** In a call without tools: the task of the client's own requests, anywhere near the beginning of the instructions. */
const OWN_TASK =
  /You are a title generator|Summarize this coding conversation|new conversation topic|a succinct title|(?:concise|short|brief)[^.\n]{0,40} title|Your task is to process Bash commands|tasked with summarizing conversations|generates concise, one-line Git commit|Extract any file paths that this command|summarize this partial conversation/i;

/** Whether the instructions of a call without tools are those of a client's own request. */
export function isOwnTask(instructions: string): boolean {
  return OWN_TASK.test(instructions.slice(0, 1_500));
}
