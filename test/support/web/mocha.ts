// Mocha for the web worker extension host: its browser build, made whole, which leaves its class in the global scope.
import 'mocha/mocha.js';

export default (globalThis as unknown as { Mocha: typeof import('mocha') }).Mocha;
