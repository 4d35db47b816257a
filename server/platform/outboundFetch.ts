import { Agent, Dispatcher, ProxyAgent, setGlobalDispatcher } from 'undici';
import { type Proxies, proxyFor } from './outbound.ts';

/** Lets every `fetch` of this process, those of libraries too, go by the proxies. */
export function routeFetch(proxies: Proxies): void {
  setGlobalDispatcher(new Routes(proxies));
}

class Routes extends Dispatcher {
  readonly #direct = new Agent();
  readonly #through = new Map<string, ProxyAgent>();

  constructor(private readonly proxies: Proxies) {
    super();
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandlers): boolean {
    const proxy = proxyFor(this.proxies, new URL(String(options.origin)));
    return (proxy === null ? this.#direct : this.#by(proxy)).dispatch(options, handler);
  }

  #by(proxy: string): ProxyAgent {
    const agent = this.#through.get(proxy) ?? new ProxyAgent({ uri: proxy, proxyTunnel: false });
    this.#through.set(proxy, agent);
    return agent;
  }
}
