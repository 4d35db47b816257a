import { render } from 'preact';
import { App } from './App.tsx';
import './style.css';

// Out of the address before anything else happens: neither the history nor a bookmark keeps it.
const code = /^#code=([A-Za-z0-9_-]{20,200})$/.exec(location.hash)?.[1];
// In a window that has the page open already, only the fragment changes.
addEventListener('hashchange', () => location.hash.startsWith('#code=') && location.reload());
if (location.hash.startsWith('#code=')) {
  // The fragment holds the code, so the editor names the section that it opens beside it.
  const section = /^[a-z]+$/.exec(new URLSearchParams(location.search).get('section') ?? '')?.[0];
  history.replaceState(null, '', section ? `${location.pathname}#${section}` : location.pathname);
}
render(<App code={code} />, document.getElementById('root')!);
