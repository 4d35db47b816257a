import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import csharp from 'highlight.js/lib/languages/csharp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import dockerfile from 'highlight.js/lib/languages/dockerfile';
import go from 'highlight.js/lib/languages/go';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import kotlin from 'highlight.js/lib/languages/kotlin';
import makefile from 'highlight.js/lib/languages/makefile';
import markdown from 'highlight.js/lib/languages/markdown';
import php from 'highlight.js/lib/languages/php';
import powershell from 'highlight.js/lib/languages/powershell';
import python from 'highlight.js/lib/languages/python';
import ruby from 'highlight.js/lib/languages/ruby';
import rust from 'highlight.js/lib/languages/rust';
import shell from 'highlight.js/lib/languages/shell';
import sql from 'highlight.js/lib/languages/sql';
import swift from 'highlight.js/lib/languages/swift';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';

const languages = {
  bash,
  c,
  cpp,
  csharp,
  css,
  diff,
  dockerfile,
  go,
  ini,
  java,
  javascript,
  json,
  kotlin,
  makefile,
  markdown,
  php,
  powershell,
  python,
  ruby,
  rust,
  shell,
  sql,
  swift,
  typescript,
  xml,
  yaml,
};

/** Made only when code appears: building the grammars takes longer than rendering a page of text. */
function grammars(): typeof hljs {
  if (hljs.listLanguages().length === 0) {
    for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language);
  }
  return hljs;
}

/** For longer code, highlighting takes longer than a frame; the code is shown plain. */
const TOO_LONG = 40_000;

/** The grammars' time grows with the square of a word's length. */
const LONG_WORD = /\w{300}/;
const MOST_OF_LINE = 2000;

const known = new Map<string, string | null>();

const keyOf = (code: string, language: string) => `${language}\n${code}`;

/** The cached result of `highlight`, without any cost; else undefined. */
export const highlighted = (code: string, language: string) => known.get(keyOf(code, language));

/** Code as highlighted HTML (only spans with classes `hljs-…`), or null if it stays plain. Caches the last ones. */
export function highlight(code: string, language: string): string | null {
  if (code.length > TOO_LONG || !grammars().getLanguage(language) || !isColourable(code)) return null;
  const key = keyOf(code, language);
  let html = known.get(key);
  if (html === undefined) {
    html = coloured(code, language);
    if (known.size >= 200) known.delete(known.keys().next().value as string);
    known.set(key, html);
  }
  return html;
}

function isColourable(code: string): boolean {
  return !LONG_WORD.test(code) && code.split('\n').every((line) => line.length <= MOST_OF_LINE);
}

/** Code that breaks a grammar (thousands of nested parts) stays plain. */
function coloured(code: string, language: string): string | null {
  try {
    return hljs.highlight(code, { language, ignoreIllegals: true }).value;
  } catch {
    return null;
  }
}
