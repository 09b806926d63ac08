/** How a script ends: with a failure that the user can repair, on a signal, or when its output is no longer read. */
import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { endChildren, start } from './children.mjs';

/**
 * The message says what was expected, what was found and what to do. Status 2: the machine or its network; 1: our own work.
 * `cause` is the kind of cause, if it is known, for example 'network'.
 */
export class SetupFailure extends Error {
  constructor(message, status = 2, cause = undefined) {
    super(message, { cause });
    this.status = status;
  }
}

/** Whether the module at `url` is the script that Node runs; works without import.meta.filename, which old Nodes lack. */
export function isMain(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

/** Ctrl-C; `docker stop` and Slurm; a closed terminal. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** The reader of a pipe has ended, or the terminal is closed. */
const NOBODY_READS = ['EPIPE', 'EIO'];
const SIGPIPE_STATUS = 128 + constants.signals.SIGPIPE;

let stopping = false;

/** Ends the script with `status`, once its programs have ended. A second call ends it at once. */
async function stop(status, message = '') {
  if (stopping) process.exit(status);
  stopping = true;
  if (message) process.stderr.write(message);
  await endChildren();
  process.exit(status);
}

/**
 * Runs an interactive program, such as JupyterLab, and returns its exit status. The program handles signals: the terminal sends
 * Ctrl-C to it too, other signals are forwarded.
 */
export function handOver(command, args, options) {
  const child = start(command, args, { stdio: 'inherit', ...options, detached: false });
  for (const name of SIGNALS) {
    process.removeAllListeners(name);
    process.on(name, () => name !== 'SIGINT' && child.kill(name));
  }
  return statusOf(child);
}

/** The exit status of a program, as a shell reports it. */
export function statusOf(child) {
  return new Promise((done) => {
    child.on('error', () => done(127));
    child.on('close', (status, signal) => done(status ?? 128 + constants.signals[signal]));
  });
}

/**
 * Runs a script. A SetupFailure ends it with its message and status, a signal with 128 plus the signal's number, any other error
 * with a stack trace.
 */
export async function runScript(main) {
  for (const name of SIGNALS) {
    const why = name === 'SIGINT' ? 'interrupted' : `stopped by ${name}`;
    process.on(name, () => void stop(128 + constants.signals[name], `\n${why}; the next run resumes here\n`));
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      if (!NOBODY_READS.includes(error.code)) throw error;
      if (!stopping) void stop(SIGPIPE_STATUS);
    });
  }
  try {
    await main();
  } catch (error) {
    // Programs that were ended fail; that needs no message.
    if (stopping) return;
    const known = error instanceof SetupFailure || error.code?.startsWith?.('ERR_PARSE_ARGS');
    // Our own file operations may fail too, on a full disk or a folder that is not writable, and anything may lack memory.
    const ours = error.syscall || error instanceof RangeError;
    const message = known ? error.message : ours && knownCause('set-up', error.message)?.message;
    if (!message) throw error;
    process.stderr.write(`${message}\n`);
    process.exitCode = error.status ?? 2;
    await endChildren();
    process.exit();
  }
}

const NETWORK =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|EPROTO|ERR_SOCKET_TIMEOUT|ERR_SSL|network request to .* failed|socket hang up|NewConnectionError|ConnectTimeout|ReadTimeout|Read timed out|Failed to establish a new connection|Name or service not known|name resolution|Max retries exceeded|ProxyError|IncompleteRead|Connection broken|RemoteDisconnected|Connection aborted|incomplete-download|E50[234]\b|(50[234]) (?:Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)/i;
const DENIED = /EACCES|EPERM|EROFS|Permission denied|Read-only file system/i;

/** The known causes of a failure: the kind, how its output is recognized, and the end of the sentence, made from the output. */
const CAUSES = [
  [
    'disk',
    /ENOSPC|No space left on device|EDQUOT|Disk quota exceeded/i,
    () => 'the disk is full; free some space and run the same command again',
  ],
  [
    'memory',
    /ENOMEM|Cannot allocate memory|Array buffer allocation failed|failed to map segment(?!.*Operation not permitted)|heap out of memory|bad_alloc|virtual memory exhausted|MemoryError|Killed signal terminated program/i,
    () =>
      'there is not enough memory; end other programs, raise the limit (ulimit -v, or the container’s), and run the same command again',
  ],
  [
    'noexec',
    /failed to map segment.*Operation not permitted/i,
    () =>
      'the disk of the checkout or the cache is mounted with noexec; put both on another disk (ATTENTION_CACHE names the cache)',
  ],
  [
    'checksum',
    /DO NOT MATCH THE HASHES|EINTEGRITY|integrity checksum failed/i,
    () =>
      'the file from the registry does not have the pinned checksum; a proxy or mirror changes files, or the download broke. It was discarded; try again',
  ],
  [
    'certificate',
    /CERTIFICATE_VERIFY_FAILED|SSLError|SELF_SIGNED_CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/i,
    () =>
      "the registry's certificate is not trusted here; tell pip (PIP_CERT) and npm (cafile) about your network's certificate",
  ],
  [
    'network',
    // npm 10 gives no other reason when the registry does not answer.
    (output) => NETWORK.test(output) || /Exit handler never called/.test(output),
    () =>
      'the package registry could not be reached, or the connection broke; check the network (and the proxy or mirror that pip and npm use) and run the same command again',
  ],
  [
    'version',
    /No matching distribution found|\bE404\b|\bETARGET\b/,
    () =>
      'the package registry does not answer or does not have this version; check the network and the mirror that pip and npm use',
  ],
  [
    'permission',
    DENIED,
    (output) => {
      const [said] = /[^\n]*(?:EACCES|EPERM|EROFS|Permission denied|Read-only file system)[^\n]*/i.exec(output);
      const path = /['"](\/[^'"\n]+)['"]/.exec(said)?.[1] ?? /^npm (?:ERR!|error) path (\/.*)$/m.exec(output)?.[1];
      return `${path ?? 'a folder'} is not writable (${said.replace(/^npm (?:ERR!|error) /, '').trim()}); change its owner or permissions, or choose other folders: npm_config_cache and PIP_CACHE_DIR for the caches of npm and pip, ATTENTION_CACHE for the downloads`;
    },
  ],
];

/**
 * The known cause of a failed pip, npm or file operation, found in its output, as a SetupFailure of one sentence; undefined if
 * there is none. `doing` begins the sentence, for example "fetching scikit-image 0.26.0".
 */
export function knownCause(doing, output) {
  const found = CAUSES.find(([, looks]) => (looks instanceof RegExp ? looks.test(output) : looks(output)));
  if (!found) return undefined;
  const [kind, , sentence] = found;
  return new SetupFailure(`${doing} failed: ${sentence(output)}`, 2, kind);
}
