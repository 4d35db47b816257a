import type { ComponentType } from 'preact';
import type { AccountAnswer } from '../../../shared/account.ts';
import { Balance } from './sections/Balance.tsx';
import { Conversations } from './sections/Conversations.tsx';
import { Credits } from './sections/Credits.tsx';
import { Data } from './sections/Data.tsx';
import { Devices } from './sections/Devices.tsx';
import { Profile } from './sections/Profile.tsx';
import { REFERRALS, Referrals } from './sections/Referrals.tsx';
import { TokenLog } from './sections/TokenLog.tsx';
import { Usage } from './sections/Usage.tsx';

/** A part of the page, at `#<id>`; what follows a slash after it is the section's own. */
export interface Section {
  id: string;
  title: string;
  View: ComponentType<{ answer: AccountAnswer; id: string | undefined }>;
  /** Whether this account has it; all have it without. */
  isFor?: (answer: AccountAnswer) => boolean;
  /** What it shows: where this answers 404, the server does not have, or does not offer, the section. */
  path?: string;
}

const isMember = ({ account }: AccountAnswer) => account.kind === 'member';

/** In the order of the navigation. Another part of the product is another line. */
export const SECTIONS: readonly Section[] = [
  { id: 'balance', title: 'Balance', View: Balance },
  { id: 'credits', title: 'Credits', View: Credits, isFor: isMember },
  { id: 'usage', title: 'Usage', View: Usage },
  { id: 'log', title: 'Token log', View: TokenLog },
  { id: 'referrals', title: 'Referrals', View: Referrals, isFor: isMember, path: REFERRALS },
  { id: 'conversations', title: 'Conversations', View: Conversations },
  { id: 'devices', title: 'Devices', View: Devices },
  { id: 'profile', title: 'Profile', View: Profile, isFor: isMember },
  { id: 'data', title: 'Your data', View: Data },
];
