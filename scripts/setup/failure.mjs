/** Failures that a person can do something about, and how a script ends on one. */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The message says what was expected, what came and what to do. Status 2: the machine or its network; 1: our own work failed. */
export class SetupFailure extends Error {
  constructor(message, status = 2) {
    super(message);
    this.status = status;
  }
}

/** Whether the module at `url` is the script that Node was started with; also for a Node too old to know import.meta.filename. */
export function isMain(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

/** Runs a whole script: a SetupFailure becomes its message and its exit status, Ctrl-C status 130, anything else a stack trace. */
export async function runScript(main) {
  process.once('SIGINT', () => {
    process.stderr.write('\ninterrupted; the next run goes on from here\n');
    process.exit(130);
  });
  try {
    await main();
  } catch (error) {
    // A full disk or a folder that may not be written can meet any of our own file operations too.
    const failure =
      error instanceof SetupFailure || error.code?.startsWith?.('ERR_PARSE_ARGS')
        ? error.message
        : error.syscall && knownCause('set-up', error.message);
    if (!failure) throw error;
    process.stderr.write(`${failure}\n`);
    process.exit(error.status ?? 2);
  }
}

/**
 * What lies behind the output of a pip, npm or file operation that failed, as one sentence; undefined when it is not one of
 * the known causes. `doing` begins the sentence, e.g. "fetching scikit-image 0.26.0".
 */
export function knownCause(doing, output) {
  if (/ENOSPC|No space left on device|EDQUOT|Disk quota exceeded/i.test(output)) {
    return `${doing} failed: the disk is full; free some space and run the same command again`;
  }
  if (/DO NOT MATCH THE HASHES|EINTEGRITY|integrity checksum failed/i.test(output)) {
    return `${doing} failed: what the registry sent has another checksum than the pinned one; a proxy or mirror changes files on the way, or the download broke. Nothing of it was used; try again`;
  }
  if (/CERTIFICATE_VERIFY_FAILED|SSLError|SELF_SIGNED_CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/i.test(output)) {
    return `${doing} failed: the registry's certificate is not trusted here; tell pip (PIP_CERT) and npm (cafile) about your network's certificate`;
  }
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|network request to .* failed|NewConnectionError|ConnectTimeout|ReadTimeout|Read timed out|Failed to establish a new connection|Name or service not known|name resolution|Max retries exceeded|ProxyError|IncompleteRead|Connection broken|RemoteDisconnected|Connection aborted|incomplete-download/i.test(
      output,
    )
  ) {
    return `${doing} failed: the package registry could not be reached or broke off; check the network (and the proxy or mirror that pip and npm are set to) and run the same command again`;
  }
  if (/No matching distribution found|\bE404\b|\bETARGET\b/.test(output)) {
    return `${doing} failed: the package registry that is set up here does not answer or does not have this version; check the network and the mirror that pip and npm are set to`;
  }
  if (/EACCES|EPERM|EROFS|Permission denied|Read-only file system/i.test(output)) {
    return `${doing} failed: a folder is not writable (${/(?:EACCES|EPERM|EROFS|Permission denied|Read-only file system)[^\n]*/i.exec(output)[0].trim()})`;
  }
  return undefined;
}
