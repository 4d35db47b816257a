import * as vscode from 'vscode';

interface LanguageManifest {
  id: string;
  aliases?: string[];
  extensions?: string[];
}

// In a web worker's extension host, `extensions.all` lacks the extensions of other hosts, and most languages are among
// them.
const USUAL: Record<string, string> = {
  ...{ ts: 'typescript', tsx: 'typescriptreact', js: 'javascript', jsx: 'javascriptreact', mjs: 'javascript' },
  ...{ bash: 'shellscript', sh: 'shellscript', zsh: 'shellscript', shell: 'shellscript', ps1: 'powershell' },
  ...{ 'c++': 'cpp', 'c#': 'csharp', cs: 'csharp', 'f#': 'fsharp', objc: 'objective-c', golang: 'go', rs: 'rust' },
  ...{ py: 'python', rb: 'ruby', md: 'markdown', yml: 'yaml', htm: 'html', docker: 'dockerfile', make: 'makefile' },
};

/** The language id for a Markdown fence's language: an id, an alias or a file extension; undefined if unknown. */
export async function languageIdOf(language: string | undefined): Promise<string | undefined> {
  const wanted = language?.trim().toLowerCase();
  if (!wanted) return undefined;
  const known = await vscode.languages.getLanguages();
  if (known.includes(wanted)) return wanted;
  const usual = USUAL[wanted];
  if (usual && known.includes(usual)) return usual;
  for (const { packageJSON } of vscode.extensions.all) {
    const languages: unknown = packageJSON?.contributes?.languages;
    if (!Array.isArray(languages)) continue;
    for (const { id, aliases = [], extensions = [] } of languages as LanguageManifest[]) {
      const names = [...aliases, ...extensions.map((ending) => ending.replace(/^\./, ''))];
      if (names.some((name) => name.toLowerCase() === wanted) && known.includes(id)) return id;
    }
  }
  return undefined;
}
