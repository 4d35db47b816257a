import type { Hash, Language, TurnSeen } from '../../../server/risk/signals/observation.ts';

/** Of a hash: letters, digits and nothing else. */
const id = (hash: Hash): string => hash.toString(36);

/** A file that no other hash has, as the observer reads it: its last two names. */
export const pathOf = (hash: Hash): string => `m${id(hash)}/k${id(hash)}.rs`;

const SENTENCES: Record<Language, string> = {
  english: 'Please find out why this is slow and fix it in',
  latin: 'Bitte finde heraus, warum das so langsam ist und nicht mit dem anderen geht in',
  cyrillic: 'Пожалуйста, найди, почему это работает так медленно, и исправь в',
  chinese: '请找出为什么这个功能运行得这么慢并且修复它在文件里',
  japanese: 'これがなぜこんなに遅いのかを調べて直してください',
  korean: '이 기능이 왜 이렇게 느린지 찾아서 고쳐 주세요',
  arabic: 'من فضلك اكتشف لماذا هذا بطيء جدا ثم أصلحه في',
  indic: 'कृपया पता लगाएं कि यह इतना धीमा क्यों है और इसे ठीक करें',
};

/** A person's text from which the observer reads this language, and a template exactly if the turn has one. */
export function textOf({ template, language, root }: Pick<TurnSeen, 'template' | 'language' | 'root'>): string {
  if (template === 0) return `ok ${id(root)}9`;
  const words = `w${id(template).replaceAll(/\d/g, 'z')} x${id(root).replaceAll(/\d/g, 'z')}`;
  return language === null
    ? `${words} = {a[0]}; (b) = {c}; <d> = {e}; ${words} = [];`
    : `${SENTENCES[language]} ${words}`;
}

const TOOLS = [{ type: 'function', function: { name: 'read', parameters: { type: 'object', properties: {} } } }];
const call = (path: string, i: number) => ({
  ...{ id: `c${i}`, type: 'function' },
  function: { name: 'read', arguments: JSON.stringify({ path }) },
});

/** A request in the form of chat completions that shows the turn. `opening`: the first text of its conversation. */
export function bodyOf(turn: TurnSeen, opening: string, deviceId: string | null): Record<string, unknown> {
  const user = (content: string) => ({ role: 'user', content });
  const base = {
    model: 'double',
    ...(deviceId !== null && { metadata: { user_id: `user_${deviceId}_account__session_1` } }),
  };
  if (turn.kind === 'machine')
    return { ...base, messages: [{ role: 'system', content: 'You are a title generator.' }, user(opening)] };
  if (turn.kind === 'human') {
    const messages = turn.isFirst
      ? [user(opening)]
      : [user(opening), { role: 'assistant', content: 'It is done.' }, user(textOf(turn))];
    return { ...base, tools: TOOLS, messages };
  }
  const calls = turn.paths.map((path, i) => call(pathOf(path), i));
  const asked = calls.length > 0 ? calls : [{ ...call('', 0), function: { name: 'run', arguments: '{}' } }];
  const results = asked.map((one) => ({ role: 'tool', tool_call_id: one.id, content: 'ok' }));
  return {
    ...base,
    tools: TOOLS,
    messages: [user(opening), { role: 'assistant', content: null, tool_calls: asked }, ...results],
  };
}

/** What the observer takes as the conversation. */
export const rootOf = (turn: TurnSeen, opening: string): string =>
  turn.kind === 'machine' ? `\n${opening}` : `read\n${opening}`;
