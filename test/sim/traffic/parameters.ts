import type { Language } from '../../../server/risk/signals/observation.ts';
import type { LogNormal } from './random.ts';

/** One number of how people, tools and networks behave: its value in both sets, and where it comes from. */
interface Row<T> {
  what: string;
  /** What the constants of the score are fitted on. */
  a: T;
  /** What they are tested on. */
  b: T;
  source: string;
}

const row = <T>(what: string, a: T, b: T, source: string): Row<T> => ({ what, a, b, source });

const TRACELAB =
  'TraceLab (University of Washington): 43 developers, 4,265 sessions of Claude Code and Codex, 357,161 model calls';
const SWE_CHAT = 'SWE-chat, arXiv 2604.20779: 5,851 sessions, 63,000 prompts, 355,000 tool calls';
const AUTONOMY = 'Anthropic, "Measuring AI agent autonomy in practice" (2026)';
const HOURS = 'Claes et al., ICSE 2018 (arXiv 1802.05084), commits of 86 projects';
const MULTITASKING = 'Vasilescu et al., "The Sky Is Not the Limit", ICSE 2016';
const WILDCHAT = 'WildChat, arXiv 2405.01470: 1,039,785 conversations, 53 % English, 13 % Chinese, 12 % Russian';

const log = (median: number, sigma: number): LogNormal => ({ median, sigma });
type Speakers = Partial<Record<Language, number>>;
const speakers = (shares: Speakers): Speakers => shares;

/** Every number that describes behaviour. A number without a published source says "assumption". */
export const TABLE = {
  promptsADay: row(
    'prompts of a person on an active day, over people',
    log(24, 0.75),
    log(32, 0.9),
    `Level: 523 sessions in 3 months of one developer, mean 23 messages (code-insights.app); spread: assumption, about that of cost a day, mean 13 dollars, 90 % below 30 (code.claude.com/docs/en/costs)`,
  ),
  promptsDayToDay: row('the same, from day to day', 0.45, 0.6, 'assumption'),
  singleShare: row('conversations of one prompt', 0.5, 0.4, `${TRACELAB}: median 1 request a session`),
  promptsAConversation: row(
    'prompts of a longer conversation',
    log(4.4, 1.6),
    log(5.5, 1.5),
    `${TRACELAB}: mean 9.2, p90 18, p99 137 requests a session; ${SWE_CHAT}: mean 10.8`,
  ),
  mostPrompts: row('prompts of a conversation, at most', 200, 250, 'assumption'),
  noToolShare: row(
    'prompts answered without a tool',
    0.35,
    0.3,
    `${TRACELAB}: p25 0, median 1 tool-started call a request`,
  ),
  toolSteps: row(
    'tool results of the other prompts',
    log(5.4, 1.28),
    log(6.5, 1.2),
    `${TRACELAB}: p90 20, p99 86, mean 7.8 tool-started calls a request; ${SWE_CHAT}: 5.6 tool calls a prompt`,
  ),
  mostSteps: row('tool results of a prompt, at most', 200, 300, 'assumption'),
  stepSeconds: row(
    'seconds from one model call of a run to the next',
    log(6, 0.7),
    log(5, 0.8),
    `${AUTONOMY}: median turn 45 s; divided by the calls of a turn`,
  ),
  thinkSeconds: row(
    'seconds from an answer to the next prompt of the conversation',
    log(75, 1.25),
    log(55, 1.4),
    'Lognormal: Blenn and Van Mieghem, arXiv 1607.02952; level: assumption',
  ),
  typingSeconds: row(
    'seconds in which one person goes to another agent and writes a prompt',
    log(38, 0.8),
    log(30, 0.9),
    'assumption: 15 to 40 words at 40 words a minute, after a look at what the agent did',
  ),
  fastestSeconds: row('the same, at least (a pasted text, a voice)', 3, 2, 'assumption'),
  queuedShare: row('prompts written while the agent still works, sent when it ends', 0.08, 0.14, 'assumption'),
  subAgentShare: row(
    'prompts for which the tool starts agents of its own',
    0.07,
    0.11,
    '22 recorded sessions of Claude Code (novita/agentic_code_dataset_22): 26 % of calls are of sub-agents',
  ),
  subAgents: row('how many at once', 2.2, 2.8, 'assumption'),
  resumedShare: row('conversations that go on with one of the days before', 0.12, 0.2, 'assumption'),
  shortShare: row('prompts too short to say a language or a template ("continue")', 0.22, 0.28, 'assumption'),
  templateShare: row('prompts that repeat one of a person’s own templates (slash commands)', 0.06, 0.1, 'assumption'),
  codeShare: row('prompts with too little prose to say a language', 0.25, 0.2, 'assumption'),
  projects: row(
    'repositories that a person works on in a month',
    log(4, 0.6),
    log(5, 0.7),
    `${MULTITASKING}: many projects over time, few a day; level: assumption`,
  ),
  mostProjects: row('the same, at most', 14, 20, 'assumption'),
  projectsADay: row('of those on one day, beside the first', 0.7, 1, `${MULTITASKING}: mostly 1 to 3 a day`),
  scratchShare: row('conversations about something used once', 0.06, 0.09, 'assumption'),
  noProjectShare: row('conversations without any path', 0.15, 0.2, 'assumption'),
  files: row('files of a repository that come up in a month', log(90, 0.8), log(110, 0.9), 'assumption'),
  workingSet: row('files of one conversation', log(7, 0.7), log(8, 0.8), 'assumption'),
  commonFiles: row(
    'share of a repository’s files whose two last names others have too (src/app.ts)',
    0.06,
    0.09,
    'assumption',
  ),
  commonNames: row('how many such names there are', 250, 200, 'assumption'),
  siblingShare: row('repositories made from another one of the same person', 0.15, 0.2, 'assumption'),
  siblingFiles: row('share of their files that both have', 0.3, 0.4, 'assumption'),
  pathShare: row(
    'tool results that name a new file',
    0.55,
    0.5,
    `${SWE_CHAT}: reading, editing and searching files are most tool calls`,
  ),
  officeShare: row('people who keep office hours', 0.66, 0.6, `${HOURS}: two thirds work from 10 to 18`),
  chronotypeHours: row(
    'how people’s day is shifted, hours of standard deviation',
    1.1,
    1.3,
    'Roenneberg et al., Munich chronotype questionnaire: mid-sleep about normal, a little over 1 h',
  ),
  eveningShare: row(
    'days with work after dinner, office hours',
    0.2,
    0.25,
    `${HOURS}: a third of people also at night; level: assumption`,
  ),
  lateShare: row('days with work after dinner, the others', 0.65, 0.7, 'assumption'),
  weekdayShare: row('working days on which the tool is used', 0.86, 0.85, 'assumption'),
  weekendShare: row(
    'days of the weekend on which it is used',
    0.25,
    0.3,
    `${HOURS}: weekends are rare; level: assumption`,
  ),
  languages: row(
    'first language of people',
    speakers({
      english: 0.34,
      latin: 0.3,
      chinese: 0.14,
      cyrillic: 0.1,
      indic: 0.05,
      japanese: 0.03,
      korean: 0.02,
      arabic: 0.02,
    }),
    speakers({
      english: 0.3,
      latin: 0.3,
      chinese: 0.16,
      cyrillic: 0.1,
      indic: 0.06,
      japanese: 0.03,
      korean: 0.03,
      arabic: 0.02,
    }),
    `${WILDCHAT}; the others: assumption`,
  ),
  englishShare: row(
    'prompts in English of those with another first language',
    0.5,
    0.45,
    'assumption: many programmers write English to a model',
  ),
  systems: row(
    'systems',
    { windows: 0.45, mac: 0.35, linux: 0.2 },
    { windows: 0.4, mac: 0.37, linux: 0.23 },
    'Stack Overflow developer survey, primary systems at work, rounded',
  ),
  devices: row('devices of an ordinary person: one, two, three', [0.6, 0.3, 0.1], [0.5, 0.35, 0.15], 'assumption'),
  tools: row('tools of an ordinary person: one, two, three', [0.5, 0.35, 0.15], [0.4, 0.4, 0.2], 'assumption'),
  keepAliveSeconds: row(
    'seconds that a client’s connection stays open unused',
    log(60, 1),
    log(40, 1),
    'Defaults: 4 s (undici) to 90 s (Go), with keep-alive pings longer',
  ),
  mobileShare: row('days on which a laptop is used on another network', 0.2, 0.3, 'assumption'),
  resaleIntensity: row(
    'prompts of a reseller’s customer against those of an ordinary person',
    1,
    0.8,
    'assumption: those who buy a share use it as others do',
  ),
} as const;

type Table = typeof TABLE;
/** The numbers of one set. */
export type Parameters = { [Name in keyof Table]: Table[Name]['a'] | Table[Name]['b'] };
export type SetName = 'A' | 'B';

/** Set A is fitted on; set B tests: other numbers, and tools and personas that set A does not have. */
export function parametersOf(set: SetName): Parameters {
  const side = set === 'A' ? 'a' : 'b';
  return Object.fromEntries(Object.entries(TABLE).map(([name, row]) => [name, row[side]])) as unknown as Parameters;
}
