import type { ComponentType } from 'preact';
import type { AccountAnswer } from '../../../shared/account.ts';
import { Balance } from './sections/Balance.tsx';
import { Conversations } from './sections/Conversations.tsx';
import { Credits } from './sections/Credits.tsx';
import { Data } from './sections/Data.tsx';
import { Devices } from './sections/Devices.tsx';
import { Decisions } from './sections/decisions/Decisions.tsx';
import { Profile } from './sections/Profile.tsx';
import { REFERRALS, Referrals } from './sections/Referrals.tsx';
import { Requests } from './sections/requests/Requests.tsx';
import { TokenLog } from './sections/TokenLog.tsx';
import { Connect } from './sections/tools/Connect.tsx';
import { Keys } from './sections/tools/Keys.tsx';
import { Usage } from './sections/Usage.tsx';

/** A section of the page, at `#<id>`. The section itself interprets what follows a slash. */
export interface Section {
  id: string;
  title: string;
  View: ComponentType<{ answer: AccountAnswer; id: string | undefined }>;
  /** Whether this account has the section; if absent, every account does. */
  isFor?: (answer: AccountAnswer) => boolean;
  /** The API path that the section shows. A 404 means that the server doesn't have or offer the section. */
  path?: string;
}

const isMember = ({ account }: AccountAnswer) => account.kind === 'member';

/** In the order of the navigation. A new section is one more line. */
export const SECTIONS: readonly Section[] = [
  { id: 'balance', title: 'Balance', View: Balance },
  { id: 'credits', title: 'Credits', View: Credits, isFor: isMember },
  { id: 'usage', title: 'Usage', View: Usage },
  { id: 'log', title: 'Token log', View: TokenLog },
  { id: 'requests', title: 'Requests', View: Requests },
  { id: 'referrals', title: 'Referrals', View: Referrals, isFor: isMember, path: REFERRALS },
  { id: 'conversations', title: 'Conversations', View: Conversations },
  { id: 'devices', title: 'Devices', View: Devices },
  { id: 'connect', title: 'Connect a tool', View: Connect, isFor: isMember },
  { id: 'keys', title: 'API keys', View: Keys, isFor: isMember },
  { id: 'profile', title: 'Profile', View: Profile, isFor: isMember },
  { id: 'decisions', title: 'Decisions', View: Decisions, isFor: isMember },
  { id: 'data', title: 'Your data', View: Data },
];
