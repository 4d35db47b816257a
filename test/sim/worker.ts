import { type Job, trialsOf } from './crew.ts';

process.on('message', (job: Job) => process.send!(trialsOf(job)));
