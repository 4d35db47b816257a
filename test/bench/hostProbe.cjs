// Runs in the extension host in the place of a test suite that never ends. On SIGUSR2 it collects garbage as thoroughly as
// V8 can and says what is resident then, and how long each extension's activation took. It adds the same to an empty host
// as to one with an extension.
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

exports.run = () =>
  new Promise(() => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc');
    process.on('SIGUSR2', async () => {
      for (let i = 0; i < 3; i++) await gc({ type: 'major', execution: 'async', flavor: 'last-resort' });
      tell({ type: 'state', memory: process.memoryUsage(), activations: activations() });
    });
    tell({ type: 'host', pid: process.pid });
  });

/**
 * How long each extension's code took to load and its activate() to finish, in whole ms, by id: from the editor's own
 * marks. Its table of startup times adds the wait for translations and logs to the loading; the marks don't.
 */
function activations() {
  const at = Object.fromEntries(
    globalThis.MonacoPerformanceMarks.getMarks().map(({ name, startTime }) => [name, startTime]),
  );
  const loaded = 'code/extHost/didLoadExtensionCode/';
  const took = (what, id) => at[`code/extHost/did${what}/${id}`] - at[`code/extHost/will${what}/${id}`];
  const ids = Object.keys(at).flatMap((name) => (name.startsWith(loaded) ? [name.slice(loaded.length)] : []));
  return Object.fromEntries(
    ids.map((id) => [id, { loadMs: took('LoadExtensionCode', id), activateMs: took('ActivateExtension', id) }]),
  );
}

function tell(message) {
  console.log(`[probe] ${JSON.stringify(message)}`);
}
