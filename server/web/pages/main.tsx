import { render } from 'preact';
import { App } from './App.tsx';
import './style.css';
import './charts.css';
import './credits.css';

// Out of the address before anything else happens: neither the history nor a bookmark keeps it.
const code = /^#code=([A-Za-z0-9_-]{20,200})$/.exec(location.hash)?.[1];
// In a window that has the page open already, only the fragment changes.
addEventListener('hashchange', () => location.hash.startsWith('#code=') && location.reload());
if (location.hash.startsWith('#code=')) history.replaceState(null, '', location.pathname);
render(<App code={code} />, document.getElementById('root')!);
