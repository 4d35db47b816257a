import assert from 'node:assert/strict';
import { filesOf, Scene, selectionOf } from './editModel.ts';

describe('instructions of workspace and user in an edit', () => {
  let scene: Scene;
  const brief = [{ path: 'AGENTS.md', text: 'Be brief.' }];
  beforeEach(() => {
    scene = new Scene();
    scene.guide = (about) => (about.map(String).join() === scene.document.uri.toString() ? brief : []);
  });
  afterEach(() => scene.dispose());

  it('go along with the lines and with the file that they are about', async () => {
    await scene.open('one\ntwo\n');
    await scene.ask(0, 0);
    const lines = selectionOf(scene.runs.requests[0]!);
    assert.deepEqual([lines.selection.text, lines.instructions], ['one', brief]);
    scene.edits.stopEdit();
    await scene.idle();
    await scene.askFile();
    const files = filesOf(scene.runs.requests[1]!);
    assert.deepEqual([files.files.length, files.instructions], [1, brief]);
    scene.edits.stopEdit();
    await scene.idle();
  });

  it('go along with an edit of several files', async () => {
    await scene.open('one\n');
    void scene.edits.editWorkspace({ files: [scene.document.uri], instruction: 'do it', paths: [] });
    await scene.until(() => scene.runs.requests.length === 1);
    assert.deepEqual(filesOf(scene.runs.requests[0]!).instructions, brief);
    scene.runs.done();
    await scene.idle();
  });
});
