import { render } from 'preact';
import { App } from './App.tsx';
import '../../../shared/math/math.css';
import '../kit/style.css';
import '../kit/charts.css';
import '../kit/parts.css';
import './connect.css';
import './credits.css';
import './decisions.css';
import './requests.css';

// Remove the code from the address first, so that neither the history nor a bookmark keeps it. `to` is what to show then:
// a section, or a request.
const [, code, to = ''] =
  /^#code=([A-Za-z0-9_-]{20,200})(?:&to=([a-z]{1,20}(?:\/[\da-f-]{36})?))?$/.exec(location.hash) ?? [];
// If the window has the page open already, only the fragment changes.
addEventListener('hashchange', () => location.hash.startsWith('#code=') && location.reload());
if (location.hash.startsWith('#code=')) history.replaceState(null, '', location.pathname + (to && `#${to}`));
render(<App code={code} />, document.getElementById('root')!);
