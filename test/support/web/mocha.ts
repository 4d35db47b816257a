// Mocha for the web worker extension host. Its browser build puts its class into the global scope, and this file
// exports it.
import 'mocha/mocha.js';

export default (globalThis as unknown as { Mocha: typeof import('mocha') }).Mocha;
