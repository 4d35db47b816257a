import * as vscode from 'vscode';
import type { DeviceAnswer, TokenAnswer } from '../../../shared/auth.ts';
import { DEVICE_GRANT } from '../../../shared/constants.ts';
import { BackendError, isRetryable } from '../../platform/server/backendError.ts';
import { openAddress } from '../../platform/server/openAddress.ts';
import { sleep } from '../../platform/sleep.ts';
import type { Grant } from '../session/entry.ts';

/** How many seconds each `slow_down` adds to the interval (RFC 8628, 3.5). */
const SLOWER_S = 5;

/** Polls until the device is approved or the code ends. Rejects with the refusal, or the signal's reason. */
export async function pollDevice(
  device: DeviceAnswer,
  exchange: (grant: Grant) => Promise<TokenAnswer>,
  signal: AbortSignal,
  wait: (ms: number, signal: AbortSignal) => Promise<void> = sleep,
): Promise<TokenAnswer> {
  const grant: Grant = { grant_type: DEVICE_GRANT, device_code: device.device_code };
  let interval = device.interval;
  for (;;) {
    await wait(interval * 1000, signal);
    try {
      return await exchange(grant);
    } catch (error) {
      const code = error instanceof BackendError ? error.problem.code : undefined;
      if (code === 'slow_down') interval += SLOWER_S;
      // A connection lost for a moment does not end the polling; the code's expiry does.
      else if (code !== 'authorization_pending' && !isRetryable(error)) throw error;
    }
  }
}

/** Shows the code, large, with its actions, until it is disposed. Calls `onCancel` when the user closes it. */
export function showDeviceCode(device: DeviceAnswer, onCancel: () => void): { dispose(): void } {
  const { user_code, verification_uri, verification_uri_complete } = device;
  const pick = vscode.window.createQuickPick<vscode.QuickPickItem & { run?: () => unknown }>();
  pick.title = `Sign in by a code: ${user_code}`;
  pick.placeholder = `Type ${user_code} at ${verification_uri}, in any browser. Waiting …`;
  pick.ignoreFocusOut = true;
  pick.busy = true;
  pick.items = [
    {
      label: '$(link-external) Copy code and open the page',
      detail: 'In the browser of this machine',
      run: async () => {
        await vscode.env.clipboard.writeText(user_code);
        await openAddress(verification_uri_complete);
      },
    },
    {
      label: '$(key) Copy code',
      description: user_code,
      detail: 'To type it in another browser, such as that of your phone',
      run: () => vscode.env.clipboard.writeText(user_code),
    },
    {
      label: '$(link) Copy address',
      description: verification_uri,
      detail: 'Where the code is typed',
      run: () => vscode.env.clipboard.writeText(verification_uri),
    },
    { label: '$(close) Cancel', run: () => pick.hide() },
  ];
  let isOver = false;
  pick.onDidAccept(() => void pick.selectedItems[0]?.run?.());
  pick.onDidHide(() => {
    if (!isOver) onCancel();
    isOver = true;
    pick.dispose();
  });
  pick.show();
  return {
    dispose() {
      isOver = true;
      pick.hide();
    },
  };
}
