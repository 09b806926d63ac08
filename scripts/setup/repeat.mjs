/** Repeats a step that failed because the network broke. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupFailure } from './failure.mjs';
import { say } from './progress.mjs';

/** pip resumes broken downloads and npm keeps complete packages, so a repeat has less to do. */
const WAITS_S = [5, 15, 30, 60];

function repeats(usual) {
  const text = process.env.ATTENTION_RETRIES ?? String(usual);
  if (/^\d+$/.test(text)) return Number(text);
  throw new SetupFailure(`ATTENTION_RETRIES: expected a whole number of repeats, got '${text}'`);
}

/** Does `work`, and repeats it after a pause when the network broke; `progress` is a bar, which is cleared before a message. */
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
