import { type Backend, startBackend } from '../backend.ts';
import { makeSample } from '../sample.ts';
import { type StageServer, startStageServer } from '../stageServer.ts';
import { openWorkbench, type Workbench } from '../workbench.ts';

describe('the extension in a web editor, loaded from the web', () => {
  let server: StageServer;
  let backend: Backend;
  let sample: Awaited<ReturnType<typeof makeSample>>;
  let editor: Workbench;

  before(async () => {
    server = await startStageServer();
    sample = await makeSample();
    editor = await openWorkbench({
      folder: sample.folder,
      extensionPath: server.extension,
      async settings(origin) {
        backend = await startBackend({ env: { CORS_ORIGINS: origin } });
        return { 'perigee.serverUrl': backend.url };
      },
    });
  });
  after(async () => {
    await editor?.close();
    await backend?.stop();
    await server?.stop();
    await sample?.remove();
  });

  it('chats, counts, and knows its account again after a reload', async () => {
    await editor.statusBarItem('Perigee').waitFor();
    await editor.chat.open();
    await editor.chat.ask('Hello', 'Demo model.');
    await editor.statusBarItem('9 of 10 messages').waitFor();
    await editor.stored('perigee');
    await editor.reload();
    await editor.statusBarItem('9 of 10 messages').waitFor();
    await editor.chat.answers.getByText('Demo model.').waitFor();
  });
});
