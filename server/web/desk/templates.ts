import type { DecisionKind } from '../../../shared/decisions.ts';
import type { CaseKind } from '../../../shared/desk.ts';

export interface Template {
  name: string;
  text: string;
}

type Templates = Partial<Record<DecisionKind, readonly Template[]>>;

const SHARING: Templates = {
  nothing: [
    { name: 'Explained', text: 'We looked at how your account is used. One person explains all of it.' },
    {
      name: 'Several machines',
      text: 'We looked at how your account is used. Several machines of one person explain all of it, and that is fine.',
    },
  ],
  ask: [
    {
      name: 'Who works with it',
      text: 'Your account looks as if several people used it at the same time. Do you alone work with it? If you have a gateway of your own, several machines or programs that run by themselves, please say so.',
    },
  ],
  warn: [
    {
      name: 'Shared among several',
      text: 'Several people seem to use your account through one relay. An account is for one person. Please give each of them an account of their own, or ask the operator for a plan for your team.',
    },
  ],
  reset: [
    {
      name: 'Shared after a warning',
      text: 'Several people have used your account through one relay. The promotional credits were given to one person, so what is left of them is taken back.',
    },
  ],
  suspend: [
    {
      name: 'Shared after a warning',
      text: 'Several people use your account through one relay, also after our warning. It is suspended until that day. Many devices, a VPN or heavy use are not the reason.',
    },
    {
      name: 'Resold',
      text: 'Access to your account is passed on to many people through one relay. That is reselling, which the terms exclude. Many devices, a VPN or heavy use are not the reason.',
    },
  ],
  close: [
    {
      name: 'Resold again',
      text: 'Access to your account was passed on to many people through one relay again, after a suspension for the same reason. The account is closed.',
    },
  ],
};

const REFERRALS: Templates = {
  nothing: [{ name: 'Explained', text: 'We looked at who joined by your link. All of it is explained.' }],
  ask: [
    {
      name: 'Who joined',
      text: 'Several sign-ups by your link look as if one person had made them. Do you know how that came about?',
    },
  ],
  warn: [
    {
      name: 'Same person',
      text: 'Several sign-ups by your link were made by one person. Only other people count. Please don’t make accounts for yourself by it.',
    },
  ],
  reset: [
    {
      name: 'Same person',
      text: 'Several sign-ups by your link were made by one person. The promotional credits that came of it are taken back.',
    },
  ],
  referrals: [
    {
      name: 'Same person',
      text: 'Many sign-ups by your link were made by one person, automatically as it seems. Your link has ended.',
    },
  ],
  suspend: [
    {
      name: 'Automated sign-ups',
      text: 'Accounts were made automatically by your link, to collect credits. Your account is suspended until that day.',
    },
  ],
  close: [
    {
      name: 'Automated sign-ups',
      text: 'Accounts were made automatically by your link again, after a suspension for the same reason. The account is closed.',
    },
  ],
};

const ALL: Record<CaseKind, Templates> = {
  sharing: SHARING,
  not_enough: SHARING,
  referrals: REFERRALS,
  operator: {},
};

/** Ready sentences to the owner, to be edited before they are sent. */
export const templatesOf = (kind: CaseKind, decision: DecisionKind): readonly Template[] => ALL[kind][decision] ?? [];

export const HEARING: Record<'upheld' | 'reversed', readonly Template[]> = {
  upheld: [
    {
      name: 'Stays',
      text: 'We have read your appeal and looked at the case again, without who decided first. What you write does not explain what we saw: the decision stays.',
    },
  ],
  reversed: [
    {
      name: 'We were wrong',
      text: 'We have read your appeal and looked at the case again. What you write explains what we saw. The decision was wrong, and everything that followed from it is undone.',
    },
  ],
};
