/** Words of questions and keywords of languages: they are everywhere, and say nothing of a place. */
const WORDS = new Set(
  [
    'a an and any are as at be because been but by can could did do does doing for from had has have how i if in into is it',
    'its just me my no not of on or our please should so some than that the their them then there these they this those to',
    'too us very via was we were what when where which while who why will with would you your about after also before',
    'fix fixed fixes fixing bug issue add added adds adding make makes made allow allows allowed ensure ensures properly',
    'correct correctly handle handles handled handling use used uses using when work works working instead',
    'const let var return import export default null undefined true false void new break case catch else',
    'finally function throw try typeof',
  ]
    .join(' ')
    .split(' '),
);

/** Whether a word in lower case is left out of index and question. */
export const isStopWord = (word: string) => WORDS.has(word);
