import { render } from 'preact';
import { Desk } from './Desk.tsx';
import '../kit/style.css';
import '../kit/charts.css';
import '../kit/parts.css';
import './desk.css';
import './case/case.css';

render(<Desk />, document.getElementById('root')!);
