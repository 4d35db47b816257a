import type { Language } from '../signals/observation.ts';

/** Characters of a text that are looked at. */
const LOOKED_AT = 1_000;
/** Fewer letters say nothing ("ok", "да", "继续" is two characters of Han, and enough for four letters). */
const LEAST_LETTERS = 6;
/** Fewer common words of a language in Latin letters may be names, or words of a program. */
const LEAST_COMMON = 2;
/** Signs of code among all characters, above which a text in Latin letters is code: prose has 0 to 2 in a hundred. */
const CODE_SHARE = 0.06;

/**
 * The language that a person writes in: by its script, and for Latin letters by its common short words. Null for code,
 * and for too little text. Code, logs and names in Latin letters are part of every developer's text, so a few words in
 * another script outweigh them.
 */
export function languageOf(text: string): Language | null {
  const prose = withoutCode(text.slice(0, LOOKED_AT));
  const letters: Record<Script, number> = { latin: 0, cyrillic: 0, han: 0, kana: 0, hangul: 0, arabic: 0, indic: 0 };
  let codeSigns = 0;
  for (let i = 0; i < prose.length; i++) {
    const code = prose.charCodeAt(i);
    const script = scriptOf(code);
    if (script !== null) letters[script]++;
    else if (CODE_SIGNS.has(code)) codeSigns++;
  }
  const { latin, cyrillic, han, kana, hangul, arabic, indic } = letters;
  // A character of these scripts is worth two letters or more.
  const wide = (han + kana + hangul) * 3;
  const others = wide + cyrillic + arabic + indic;
  if (others >= LEAST_LETTERS && others * 4 >= latin) {
    const most = Math.max(wide, cyrillic, arabic, indic);
    if (most === cyrillic) return 'cyrillic';
    if (most === arabic) return 'arabic';
    if (most === indic) return 'indic';
    if (hangul >= han + kana) return 'korean';
    // Japanese is never without kana; a Chinese text may quote a few.
    return kana * 5 >= han + kana ? 'japanese' : 'chinese';
  }
  if (latin < LEAST_LETTERS || codeSigns > prose.length * CODE_SHARE) return null;
  return latinLanguage(prose);
}

type Script = 'latin' | 'cyrillic' | 'han' | 'kana' | 'hangul' | 'arabic' | 'indic';

function scriptOf(code: number): Script | null {
  if (code < 0x80) return (code | 32) >= 97 && (code | 32) <= 122 ? 'latin' : null;
  if (code < 0x250) return code >= 0xc0 && code !== 0xd7 && code !== 0xf7 ? 'latin' : null;
  if (code >= 0x400 && code < 0x530) return 'cyrillic';
  // Arabic, Persian and Urdu, with their presentation forms.
  if ((code >= 0x600 && code < 0x780) || (code >= 0xfb50 && code < 0xfe00) || (code >= 0xfe70 && code < 0xff00))
    return 'arabic';
  // From Devanagari to Sinhala.
  if (code >= 0x900 && code < 0xe00) return 'indic';
  if (code >= 0x1e00 && code < 0x1f00) return 'latin';
  if ((code >= 0x3040 && code < 0x3100) || (code >= 0xff66 && code < 0xff9e)) return 'kana';
  if ((code >= 0x3400 && code < 0xa000) || (code >= 0xf900 && code < 0xfb00)) return 'han';
  if ((code >= 0xac00 && code < 0xd7b0) || (code >= 0x1100 && code < 0x1200) || (code >= 0x3130 && code < 0x3190))
    return 'hangul';
  return null;
}

const CODE_SIGNS = new Set([...'{}[]();=<>&|$#\\_*/'].map((sign) => sign.charCodeAt(0)));

/** Without what stands in fences and between backticks. A fence that isn't closed goes on to the end. */
function withoutCode(text: string): string {
  const pieces = text.split('```');
  const outside = pieces.filter((_, i) => i % 2 === 0).join(' ');
  return outside.replace(/`[^`\n]{1,200}`/g, ' ');
}

function latinLanguage(prose: string): Language | null {
  let english = 0;
  let other = 0;
  let accents = 0;
  for (const [word] of prose.toLowerCase().matchAll(/[a-z\u00c0-\u024f\u1e00-\u1eff]+/g)) {
    if (ENGLISH.has(word)) english++;
    else if (OTHERS.has(word)) other++;
    if (/[^a-z]/.test(word)) accents++;
  }
  // Letters with accents stand in few English words; languages that have many need no list.
  other += accents;
  if (Math.max(english, other) < LEAST_COMMON) return null;
  return english >= other ? 'english' : 'latin';
}

/** Short words that are frequent in English. The few that others have as well (`is`, `we`) are outnumbered there. */
const ENGLISH = new Set(
  (
    'the and of to is it that for on with this are be not have has was you i we they can do does what how why when ' +
    'where which should would could will there if then than from by an but or so my your please make add fix use ' +
    'now into only just also its all any get let use need want them these those some'
  ).split(' '),
);

/** Of German, Dutch, French, Spanish, Portuguese, Italian, Polish, Czech, Turkish, Indonesian, Vietnamese and Nordic. */
const OTHERS = new Set(
  (
    'der die das und ist nicht ein eine einen mit den dem auf wie warum wird bitte kannst ich wir von zu im sich auch ' +
    'het een niet van voor met wat hoe zijn naar dat maar ook ' +
    'le la les des est pas une un dans pour que qui avec sur ce cette je vous nous comment pourquoi du et en au ' +
    'el los las es una por con para como porque esta este lo del al se necesito quiero ' +
    'o os uma com por como isso esse essa da na no em mais ' +
    'il gli che di per sono come questo questa nel della perche ' +
    'jest nie na w z jak dlaczego si ale czy dla od ' +
    've bir bu da de ile mi nas neden yang dan di ini itu tidak untuk dengan apa ' +
    'og er det ikke som en av till att inte och jag hvordan hur'
  ).split(' '),
);
