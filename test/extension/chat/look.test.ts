import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { chatLook } from '../../../extension/chat/look.ts';
import { Scene } from './chatScene.ts';

describe('the look of the chat', () => {
  const set = (name: string, value: unknown) =>
    vscode.workspace.getConfiguration('perigee.chat').update(name, value, vscode.ConfigurationTarget.Global);
  afterEach(async () => {
    for (const name of ['fontSize', 'fontFamily', 'sendWith']) await set(name, undefined);
  });

  it('is the editor’s own unless the settings say otherwise, and follows them at once', async () => {
    const scene = new Scene();
    scene.say({ type: 'ready' });
    await scene.surroundings(({ look }) => look !== undefined);
    assert.deepEqual(scene.last('surroundings')!.value.look, { sendWith: 'Enter' });
    await set('fontSize', 18);
    await set('fontFamily', "'Iosevka Aile', Inter, sans-serif");
    await set('sendWith', 'Ctrl+Enter');
    const { look } = await scene.surroundings((value) => value.look?.sendWith === 'Ctrl+Enter');
    assert.deepEqual(look, { sendWith: 'Ctrl+Enter', fontSize: 18, fontFamily: "'Iosevka Aile', Inter, sans-serif" });
    scene.controller.dispose();
  });

  it('is the user’s own: no workspace can change it', async () => {
    const settings = vscode.workspace.getConfiguration('perigee.chat');
    for (const [name, value] of [
      ['fontSize', 18],
      ['fontFamily', 'Inter'],
      ['sendWith', 'Ctrl+Enter'],
    ] as const)
      await assert.rejects(async () => settings.update(name, value, vscode.ConfigurationTarget.Workspace), name);
  });

  it('ignores sizes and fonts that make no sense or say more to CSS than a name', async () => {
    for (const [size, family] of [
      [-3, 'x; background: url(https://example.org)'],
      [5000, 'url(https://example.org)'],
      ['large', 'Inter}'],
      [3, 'var(--vscode-font-family)'],
    ] as const) {
      await set('fontSize', size);
      await set('fontFamily', family);
      await set('sendWith', 'Space');
      assert.deepEqual(chatLook(), { sendWith: 'Enter' }, `${size} ${family}`);
    }
  });
});
