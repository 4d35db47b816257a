import * as vscode from 'vscode';
import { openAddress } from '../../platform/server/openAddress.ts';
import { sleep } from '../../platform/sleep.ts';
import type { Grant } from '../session/entry.ts';
import { base64url, randomText, sha256 } from '../session/signingKey.ts';

/** How long the server keeps a pending sign-in. */
const PATIENCE_MS = 20 * 60_000;

/** The error that the browser brought back, with the codes of RFC 6749. */
export class SignInRefused extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

/** A sign-in that waits for the browser to call back. */
export class BrowserSignIn {
  private readonly state = randomText();
  private readonly verifier = randomText();
  private answer!: (query: URLSearchParams) => void;
  private readonly answered = new Promise<URLSearchParams>((resolve) => {
    this.answer = resolve;
  });

  /** The address to open. Rejects where this editor cannot be called back. */
  async address(server: string, names: { device_name: string; tool: string }): Promise<string> {
    const here = vscode.Uri.parse(`${vscode.env.uriScheme}://perigee.perigee/signed-in`);
    const callback = await vscode.env.asExternalUri(here);
    const query = new URLSearchParams({
      // Do not encode the URI again: it must come back exactly as the editor made it. It is sent as base64url, because
      // an editor that forwards a port to the server rewrites the address, and would break a plain URI in its query.
      callback: base64url(new TextEncoder().encode(callback.toString(true))),
      state: this.state,
      code_challenge: await sha256(this.verifier),
      code_challenge_method: 'S256',
      ...names,
    });
    return `${server}/sign-in?${query}`;
  }

  /** Opens the browser. False if it was not opened. */
  async open(address: string): Promise<boolean> {
    try {
      return await openAddress(address);
    } catch {
      return false;
    }
  }

  /** Accepts a callback if it belongs to this sign-in. */
  take(query: URLSearchParams): boolean {
    if (query.get('state') !== this.state) return false;
    this.answer(query);
    return true;
  }

  /** The grant from the browser. Rejects with `SignInRefused`, or the signal's reason. */
  async grant(signal: AbortSignal): Promise<Grant> {
    const late = sleep(PATIENCE_MS, signal).then(() => {
      throw new SignInRefused('expired_token');
    });
    const query = await Promise.race([this.answered, late]);
    const code = query.get('code');
    if (!code) throw new SignInRefused(query.get('error') ?? 'invalid_request');
    return { grant_type: 'authorization_code', code, code_verifier: this.verifier };
  }
}
