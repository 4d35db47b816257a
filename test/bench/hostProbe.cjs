// Runs in the extension host in the place of a test suite that never ends. On SIGUSR2 it collects garbage as thoroughly as
// V8 can and says what is resident then. It adds the same to an empty host as to one with an extension.
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');

exports.run = () =>
  new Promise(() => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc');
    process.on('SIGUSR2', async () => {
      for (let i = 0; i < 3; i++) await gc({ type: 'major', execution: 'async', flavor: 'last-resort' });
      console.log(`[probe] resident ${process.memoryUsage().rss}`);
    });
    console.log(`[probe] host ${process.pid}`);
  });
