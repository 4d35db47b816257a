// In a web worker the editor loads one file of an extension. This one reads the parts that the host beside Node loads as it
// needs them, so that the package holds them once.
const vscode = require('vscode');

/** File names, written here by the build. */
const parts = PARTS;
let extension;

exports.activate = async (context) => {
  const folder = vscode.Uri.joinPath(context.extensionUri, 'dist', 'node');
  const read = async (name) => {
    const bytes = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder, name));
    return [`./${name}`, new TextDecoder().decode(bytes)];
  };
  const texts = new Map(await Promise.all(parts.map(read)));
  const loaded = new Map();
  const load = (name) => {
    if (!texts.has(name)) return require(name);
    if (!loaded.has(name)) {
      const module = { exports: {} };
      loaded.set(name, module);
      // As the editor itself loads an extension there.
      const run = new Function('module', 'exports', 'require', `${texts.get(name)}\n//# sourceURL=${folder}/${name}`);
      run(module, module.exports, load);
    }
    return loaded.get(name).exports;
  };
  extension = load('./extension.cjs');
  return extension.activate(context);
};

exports.deactivate = () => extension?.deactivate?.();
