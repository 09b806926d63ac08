/** Networks break off and come back: a step that failed for that is repeated. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupFailure } from './failure.mjs';
import { say } from './progress.mjs';

/** pip takes a broken download up where it was, and npm keeps the packages that came whole: a repeat has less to do. */
const WAITS_S = [5, 15, 30, 60];

function repeats(usual) {
  const text = process.env.ATTENTION_RETRIES ?? String(usual);
  if (/^\d+$/.test(text)) return Number(text);
  throw new SetupFailure(`ATTENTION_RETRIES: expected how often a step is repeated (0, 1, …), got '${text}'`);
}

/** Does `work`, and again after a while when the network broke off; `progress` is a bar that makes room for what is said. */
export async function persistently(progress, work, waits = WAITS_S) {
  const most = repeats(waits.length);
  for (let done = 0; ; done++) {
    try {
      return await work();
    } catch (error) {
      if (error.cause !== 'network' || done === most) throw error;
      const seconds = waits[Math.min(done, waits.length - 1)];
      progress.clear();
      say(`${error.message.split(';')[0]}; trying again in ${seconds} s (${done + 1} of ${most})`);
      await sleep(seconds * 1000);
    }
  }
}
